"""Every method to explain a prediction behind one call: those that need a layer and its gradients, and occlusion."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from classifier.inference.classifier import Classifier, prepared
from classifier.inference.explain.occlusion import nothing, occlusion
from classifier.inference.input.clinical import Clinical
from classifier.inference.input.images import Pixels
from classifier.inference.input.manifest import InputSpec
from classifier.inference.input.preprocess import Region, region
from classifier.inference.maps import methods
from classifier.inference.maps.layouts import TOKENS

Floats = npt.NDArray[np.float32]
OCCLUSION = "occlusion"
ROUNDING = 1e-4
INPUT = "input"  # what stands for a layer where none is used


@dataclass(frozen=True)
class ExplanationMethod:
    """`linear`: the map of a difference of two scores is the difference of their maps, so that a contrast is exact."""

    name: str
    label: str
    about: str
    per_class: bool
    linear: bool
    needs_layer: bool


@dataclass(frozen=True)
class Maps:
    """Signed maps (C, rows, columns) of one picture; `layer` says where they were taken."""

    values: Floats
    layer: str


class ExplanationUnavailable(Exception):
    """There is no map worth drawing; the prediction stays. `code` is for programs, the message for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def _layered(method: methods.Method) -> ExplanationMethod:
    return ExplanationMethod(method.name, method.label, method.about, method.per_class, method.linear, needs_layer=True)


METHODS: dict[str, ExplanationMethod] = {name: _layered(methods.method(name)) for name in methods.names()} | {
    OCCLUSION: ExplanationMethod(
        OCCLUSION,
        "Occlusion",
        "How far the score falls while a part of the picture is covered with the colour of its border: uses no"
        " gradient and no layer.",
        per_class=True,
        linear=True,
        needs_layer=False,
    )
}


def explain(
    classifier: Classifier, picture: Pixels, detail: Clinical, name: str, between: Callable[[], None] = nothing
) -> Maps:
    """Return the maps of one picture by one of `METHODS`.

    Raises ExplanationUnavailable where the method gives none for this model.

    `between` is called now and then by a method that takes seconds, for work that cannot wait.
    """
    spec = classifier.manifest.input
    inputs, vectors = prepared([picture], [detail], spec)
    if not METHODS[name].needs_layer:
        height, width = picture.shape[:2]
        vector = None if vectors is None else vectors[0]
        found = Maps(occlusion(classifier, inputs[0], vector, _inside(spec, height, width), between), INPUT)
    else:
        found = _by_layer(classifier, inputs, vectors, methods.method(name))
    check(found.values)
    return found


def check(values: Floats) -> None:
    """Raises ExplanationUnavailable for maps that hold NaN or infinity, and where those of all classes are zero."""
    if not np.isfinite(values).all():
        message = "The gradients of this model overflow on this picture, so there is no map."
        raise ExplanationUnavailable("map-not-finite", message)
    if not values.any():
        message = "The map is zero everywhere, for all classes: no place changes a score."
        raise ExplanationUnavailable("map-empty", message)


def _by_layer(classifier: Classifier, inputs: Floats, vectors: Floats | None, method: methods.Method) -> Maps:
    layer = classifier.layer
    maps = None if layer is None else classifier.predict(inputs, vectors, method=method).maps
    if layer is None or maps is None:
        raise ExplanationUnavailable("no-spatial-layer", "This model has no layer that keeps the picture's geometry.")
    if not method.on_normed_tokens and _is_rounding(classifier, inputs, vectors, maps):
        raise ExplanationUnavailable(
            "not-applicable",
            f"{method.label} does not apply to this transformer: a normalisation behind its tokens takes their scale"
            " away, so that features times gradients add up to zero at every place.",
        )
    return Maps(maps[0], layer)


def _is_rounding(classifier: Classifier, inputs: Floats, vectors: Floats | None, maps: Floats) -> bool:
    """Whether maps at tokens are nothing beside those of Grad-CAM there, which a normalisation does not cancel."""
    if classifier.layout is None or classifier.layout.kind != TOKENS:
        return False
    known = classifier.predict(inputs, vectors).maps
    return known is not None and bool(np.abs(maps).max() <= ROUNDING * np.abs(known).max())


def _inside(spec: InputSpec, height: int, width: int) -> Region:
    """Return the part of the input that is picture, in px of the input."""
    left, top, right, bottom = region(spec, height, width)
    across, down = spec.width / (right - left), spec.height / (bottom - top)
    return (
        max(0.0, -left * across),
        max(0.0, -top * down),
        min(float(spec.width), (width - left) * across),
        min(float(spec.height), (height - top) * down),
    )
