"""The heat map of one class as a picture."""

from typing import Literal

from classifier.inference import heat
from classifier.inference.preprocess import Region
from classifier.models import Explanation, Prediction

GRAD_CAM = "grad-cam"
Scale = Literal["relative", "absolute"]
SCALES: tuple[Scale, ...] = ("relative", "absolute")


def explanation_of(prediction: Prediction) -> Explanation | None:
    """Return the stored explanation, with its maps, or None where there is none to draw."""
    explanation = prediction.explanations.filter(method=GRAD_CAM, error__isnull=True).first()
    if explanation is not None:
        explanation.prediction = prediction
    return explanation


def peaks(explanation: Explanation) -> dict[str, float]:
    """Return the highest positive value of each class's map, and under "" that of all classes."""
    found = {code: max(float(values.max()), 0.0) for code, values in explanation.signed_maps().items()}
    return found | {"": max(found.values(), default=0.0)}


def heat_png(prediction: Prediction, code: str, scale: Scale) -> bytes | None:
    """Return the layer for one class, or None if there is no such map.

    `relative` colours up to the map's own maximum, `absolute` up to the maximum over all classes of the prediction.
    """
    explanation = explanation_of(prediction)
    maps = explanation.signed_maps() if explanation else {}
    if explanation is None or code not in maps:
        return None
    peak = peaks(explanation)[code if scale == "relative" else ""]
    image = prediction.image
    region: Region = tuple(explanation.region or ())
    return heat.render(heat.positive(maps[code]), region, image.width, image.height, peak)
