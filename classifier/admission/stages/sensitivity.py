"""How far a model's answers move on a real photograph if only its preprocessing is another: the resize, the decoder."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier.admission.stages.probe_images import views
from classifier.inference.classifier import Classifier
from classifier.inference.input import clinical
from classifier.inference.input.clinical import Clinical
from classifier.inference.input.manifest import InputSpec
from classifier.inference.input.preprocess import network_input

Pixels = NDArray[np.uint8]
Rows = NDArray[np.floating[Any]]
FAST_DECODER = "JPEG decoded with the fast integer DCT and plain chroma (as TensorFlow's INTEGER_FAST)"


@dataclass(frozen=True)
class Sensitivity:
    """`largest`: of all probabilities and pictures, the largest absolute change; `changed`: answers that turned."""

    what: str
    largest: float
    changed: int
    pictures: int

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"largest": round(self.largest, 6)}


def measure(loaded: Classifier, jpeg: bytes) -> tuple[list[Sensitivity], Rows]:
    """Return the sensitivities, and the probabilities (views, classes) as the portal itself computes them."""
    accurate, fast = views(jpeg), views(jpeg, fast=True)
    spec = loaded.manifest.input
    usual = _rows(loaded, accurate, spec)
    what, other = other_resize(spec)
    resized = _moved(what, usual, _rows(loaded, accurate, other))
    return [resized, _moved(FAST_DECODER, usual, _rows(loaded, fast, spec))], usual


def other_resize(spec: InputSpec) -> tuple[str, InputSpec]:
    """Return the same input with the other antialiasing, or, where that changes nothing, another interpolation."""
    if spec.interpolation in ("nearest", "area"):
        return f"resized bilinear in place of {spec.interpolation}", spec.but(interpolation="bilinear")
    words = "without antialiasing" if spec.antialias else "with antialiasing"
    return f"resized {words}", spec.but(antialias=not spec.antialias)


def _rows(loaded: Classifier, pictures: Sequence[Pixels], spec: InputSpec) -> Rows:
    """Probabilities (pictures, classes), one picture at a time as a worker does it; nothing clinical is known."""
    vector = None if spec.clinical == "none" else clinical.encode(spec.clinical, Clinical())[None]
    inputs = [network_input(picture, spec)[None] for picture in pictures]
    return np.concatenate([loaded.predict(each, vector, maps=False).probabilities for each in inputs])


def _moved(what: str, usual: Rows, other: Rows) -> Sensitivity:
    turned = int((usual.argmax(axis=1) != other.argmax(axis=1)).sum())
    return Sensitivity(what, float(np.abs(usual - other).max()), turned, len(usual))
