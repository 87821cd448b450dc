"""How far a model's answers move on a real photograph if only its plumbing is another one: the resize, the decoder."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier.admission.pictures import views
from classifier.inference import clinical
from classifier.inference.classifier import Classifier
from classifier.inference.clinical import Clinical
from classifier.inference.manifest import InputSpec
from classifier.inference.preprocess import network_input

Pixels = NDArray[np.uint8]
Rows = NDArray[np.floating[Any]]
FAST_DECODER = "JPEG decoded with the fast integer DCT and plain chroma (as TensorFlow's INTEGER_FAST)"


@dataclass(frozen=True)
class Movement:
    """`largest`: of all probabilities and pictures, the largest absolute change; `changed`: answers that turned."""

    what: str
    largest: float
    changed: int
    pictures: int

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"largest": round(self.largest, 6)}


def measure(loaded: Classifier, jpeg: bytes) -> tuple[list[Movement], Rows]:
    """Return the movements, and the probabilities (views, classes) as the portal itself computes them."""
    accurate, fast = views(jpeg), views(jpeg, fast=True)
    spec = loaded.manifest.input
    usual = _rows(loaded, accurate, spec)
    found = [_moved(what, usual, _rows(loaded, accurate, other)) for what, other in other_resizes(spec)]
    return [*found, _moved(FAST_DECODER, usual, _rows(loaded, fast, spec))], usual


def other_resizes(spec: InputSpec) -> list[tuple[str, InputSpec]]:
    """Return the same input with one thing about its resize changed: the antialiasing, then the interpolation."""
    other = "bicubic" if spec.interpolation == "bilinear" else "bilinear"
    changes = [(f"{other} in place of {spec.interpolation}", replace(spec, interpolation=other))]
    if spec.interpolation not in ("nearest", "area"):
        words = "without antialiasing" if spec.antialias else "with antialiasing"
        changes.insert(0, (f"resized {words}", replace(spec, antialias=not spec.antialias)))
    return changes


def _rows(loaded: Classifier, pictures: Sequence[Pixels], spec: InputSpec) -> Rows:
    """Probabilities (pictures, classes), one picture at a time as a worker does it; nothing clinical is known."""
    vector = None if spec.clinical == "none" else clinical.encode(spec.clinical, Clinical())[None]
    inputs = [network_input(picture, spec)[None] for picture in pictures]
    return np.concatenate([loaded.predict(each, vector, maps=False).probabilities for each in inputs])


def _moved(what: str, usual: Rows, other: Rows) -> Movement:
    turned = int((usual.argmax(axis=1) != other.argmax(axis=1)).sum())
    return Movement(what, float(np.abs(usual - other).max()), turned, len(usual))
