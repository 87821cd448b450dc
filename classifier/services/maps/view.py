"""The heat map that a person looks at: which method, class and side, and how it is drawn."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, get_args
from urllib.parse import urlencode

import numpy as np
import numpy.typing as npt

from classifier.inference.explain.explain import METHODS, ExplanationMethod
from classifier.inference.input.preprocess import Region
from classifier.inference.maps import render
from classifier.models import Explanation, Prediction
from classifier.services.maps.explain import known_method
from classifier.services.predictions.predict import GRAD_CAM
from skinsite.refusal import Problem, Refusal

Scale = Literal["relative", "absolute"]
Side = Literal["raises", "lowers"]
Grid = Literal["smooth", "native"]
Floats = npt.NDArray[np.float32]
ALLOWED = {"scale": get_args(Scale), "side": get_args(Side), "grid": get_args(Grid)}


@dataclass(frozen=True)
class View:
    """One map as the address names it. `code` "" is the class that won, `against` "" no class.

    `relative` colours up to the map's own maximum; `absolute` up to the largest value, on either side, over all classes
    of the prediction (of a contrast: over all pairs).
    """

    method: str = GRAD_CAM
    code: str = ""
    against: str = ""
    side: Side = "raises"
    scale: Scale = "relative"
    grid: Grid = "smooth"

    @classmethod
    def read(cls, query: Mapping[str, str]) -> "View":
        """Raises Refusal, with a sentence for each, for values that are none."""
        told: Any = {name: query.get(name) or values[0] for name, values in ALLOWED.items()}
        wrong = [
            Problem(name, f"The {name} is one of: {', '.join(values)}.")
            for name, values in ALLOWED.items()
            if told[name] not in values
        ]
        if wrong:
            raise Refusal(*wrong)
        method = known_method(query.get("method") or GRAD_CAM)
        return cls(method, query.get("class") or "", query.get("against") or "", **told)

    @property
    def query(self) -> str:
        """The view as an address has it; of what is at its default only the scale."""
        told = {"method": self.method, "class": self.code, "against": self.against}
        told |= {name: getattr(self, name) for name in ("side", "scale", "grid")}
        defaults = {"method": GRAD_CAM, "side": "raises", "grid": "smooth"}
        return urlencode({name: value for name, value in told.items() if value and value != defaults.get(name)})

    @property
    def explanation_method(self) -> ExplanationMethod:
        return METHODS[self.method]


class Maps:
    """The maps of one stored explanation, plain or as contrasts with one class."""

    def __init__(self, explanation: Explanation, against: str = "") -> None:
        """Raises Refusal for a contrast by a method that is not linear, or with a class that is not the model's."""
        self.explanation = explanation
        self.signed = explanation.signed_maps()
        self.against = against
        method = METHODS[explanation.method]
        if against and not method.linear:
            linear = ", ".join(name for name, method in METHODS.items() if method.linear)
            raise Refusal(
                Problem("against", f"{method.label} is not linear in the score. Methods with contrasts: {linear}.")
            )
        if against and against not in self.signed:
            raise Refusal(Problem("against", f"This model has no class {against[:40]!r}."))

    @property
    def codes(self) -> list[str]:
        return [code for code in self.signed if code != self.against]

    def map(self, code: str) -> Floats:
        """Return the signed map (rows, columns) of a class, less that of `against`. Raises KeyError."""
        if code == self.against:
            raise KeyError(code)
        signed = self.signed[code]
        return signed - self.signed[self.against] if self.against else signed

    def peak(self, code: str, side: Side) -> float:
        """The largest value of one side of a class's map, never below 0."""
        return float(max((sided(self.map(code), side)).max(), 0.0))

    @cached_property
    def peak_of_all(self) -> float:
        """The end of the absolute scale."""
        if not self.signed:
            return 0.0
        maps = np.stack(list(self.signed.values()))
        if self.against:
            return float((maps.max(axis=0) - maps.min(axis=0)).max())
        return float(np.abs(maps).max())


def sided(signed: Floats, side: Side) -> Floats:
    """What raises the score, or what lowers it as positive numbers."""
    return render.positive(signed) if side == "raises" else render.negative(signed)


def explanation_of(prediction: Prediction, method: str = GRAD_CAM) -> Explanation | None:
    """Return the stored explanation, with its maps, or None where there is none to draw."""
    explanation = prediction.explanations.filter(method=method, error__isnull=True).first()
    if explanation is not None:
        explanation.prediction = prediction
    return explanation


def words(prediction: Prediction, view: View, peak: float) -> str:
    """What the map of a view shows, for its legend."""
    names, code = prediction.model.class_names, view.code or prediction.top_code
    what = names.get(code, code).lower()
    if view.against:
        what += f" rather than {names.get(view.against, view.against).lower()}"
    if not view.explanation_method.per_class:
        what = "all classes alike" + (", negative part" if view.side == "lowers" else "")
    elif not peak:
        what += f"; nothing {view.side} this score"
    elif view.side == "lowers":
        what = f"what lowers {what}"
    return f"{view.explanation_method.label}, {prediction.model.name}: {what}"


def maps_of(prediction: Prediction, view: View) -> Maps | None:
    """Return the maps of a view, or None where there is no map of its class (yet). Raises Refusal."""
    explanation = explanation_of(prediction, view.method)
    maps = None if explanation is None else Maps(explanation, view.against)
    return maps if maps is not None and (view.code or prediction.top_code) in maps.codes else None


def scale_end(maps: Maps, view: View, code: str) -> float:
    return maps.peak(code, view.side) if view.scale == "relative" else maps.peak_of_all


def heat_png(prediction: Prediction, view: View) -> bytes | None:
    """Return the layer for one class, or None if there is no such map. Raises Refusal."""
    maps, code = maps_of(prediction, view), view.code or prediction.top_code
    if maps is None:
        return None
    image, values = prediction.image, sided(maps.map(code), view.side)
    region: Region = tuple(maps.explanation.region or ())
    end, native = scale_end(maps, view, code), view.grid == "native"
    return render.render(values, region, image.width, image.height, end, native=native)
