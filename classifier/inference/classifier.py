"""The one interface of all frameworks: pictures in, probabilities and heat maps out."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module

import numpy as np
import numpy.typing as npt

from classifier.inference import outputs
from classifier.inference.bundle import Bundle
from classifier.inference.devices import CPU
from classifier.inference.engines import NATIVE, ONNX
from classifier.inference.input import clinical
from classifier.inference.input.clinical import Clinical
from classifier.inference.input.images import Pixels
from classifier.inference.input.manifest import InputSpec, Manifest
from classifier.inference.input.preprocess import network_input
from classifier.inference.maps.layouts import Layout
from classifier.inference.maps.methods import GradCam, Method

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
GRAD_CAM = GradCam()


@dataclass(frozen=True)
class Output:
    """What a network says: logits (N, C) before softmax or sigmoid, and signed maps (N, C, rows, columns) or None.

    One logit has the maps of two classes.
    """

    logits: Floats
    maps: Floats | None
    predict_ms: float
    explain_ms: float


@dataclass(frozen=True)
class Answer:
    """Probabilities (N, C) with rows that sum to 1; scores (N, C) are the raw values of several sigmoids.

    Maps (N, C, rows, columns) are signed Grad-CAM at the layer's own resolution, not rescaled.
    """

    probabilities: Doubles
    scores: Doubles | None
    maps: Floats | None
    predict_ms: float
    explain_ms: float


class Classifier(ABC):
    """A loaded network. `layer` names where its maps come from, `bytes` estimates its memory, `engine` who computes.

    `device` says where. `layout` says how a framework's own features hold the grid; `layers` names all that could be
    chosen.
    """

    engine: str = NATIVE
    device: str = CPU
    manifest: Manifest
    layer: str | None
    layout: Layout | None = None
    layers: tuple[str, ...] = ()
    bytes: int

    @abstractmethod
    def output(self, inputs: Floats, vectors: Floats | None, method: Method | None = None) -> Output:
        """Run the network on inputs (N, height, width, 3) and clinical vectors (N, K); map with the method."""

    def predict(
        self, inputs: Floats, vectors: Floats | None = None, *, maps: bool = True, method: Method = GRAD_CAM
    ) -> Answer:
        """Return the answer for preprocessed inputs."""
        found = self.output(inputs, vectors, method if maps and self.layer is not None else None)
        return Answer(
            probabilities=outputs.to_probabilities(found.logits, self.manifest.output),
            scores=outputs.sigmoids(found.logits, self.manifest.output),
            maps=found.maps,
            predict_ms=found.predict_ms,
            explain_ms=found.explain_ms,
        )


def mapped(features: Floats, gradient: Callable[[int], Floats], classes: int, method: Method) -> Floats:
    """Return a method's maps of all classes, (N, C, rows, columns), from (N, rows, columns, K) each.

    One logit z stands for two classes with the logits -z and z.
    """
    if not method.per_class:
        return np.stack([method.map(features, features)] * max(classes, 2), axis=1)
    if classes == 1:
        gradients = (sign * gradient(0) for sign in (-1, 1))
    else:
        gradients = (gradient(position) for position in range(classes))
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):  # `explain.check` tells what is no number
        return np.stack([method.map(features, found) for found in gradients], axis=1)


Loader = Callable[[Bundle], Classifier]
_loaders: dict[str, Loader] = {}
MODULES = {
    "keras": "classifier.inference.networks.keras",
    "torch": "classifier.inference.networks.torch",
    ONNX: "classifier.inference.networks.onnx",
}


def loader(name: str) -> Callable[[Loader], Loader]:
    """Register the decorated function as the way to load bundles with a framework or engine; a second one raises."""

    def register(load_bundle: Loader) -> Loader:
        if name in _loaders:
            raise ValueError(f"there is a loader for {name} already")
        _loaders[name] = load_bundle
        return load_bundle

    return register


def load(bundle: Bundle, engine: str = "") -> Classifier:
    """Load a bundle with the named engine, imported here and never before.

    Unless one is named, its graph is run by ONNX Runtime, and a bundle without one by its own framework.
    """
    engine = engine or (ONNX if bundle.graph else NATIVE)
    name = bundle.framework if engine == NATIVE else engine
    import_module(MODULES[name])
    return _loaders[name](bundle)


def run(
    classifier: Classifier,
    pictures: Sequence[Pixels],
    details: Sequence[Clinical],
    *,
    maps: bool = True,
    method: Method = GRAD_CAM,
) -> Answer:
    """Preprocess pictures, uint8 (height, width, 3) each, and predict; preprocessing counts as predicting."""
    began = time.perf_counter()
    inputs, vectors = prepared(pictures, details, classifier.manifest.input)
    prepared_ms = (time.perf_counter() - began) * 1000
    answer = classifier.predict(inputs, vectors, maps=maps, method=method)
    return Answer(**{**vars(answer), "predict_ms": answer.predict_ms + prepared_ms})


def logits(classifier: Classifier, pictures: Sequence[Pixels], details: Sequence[Clinical], spec: InputSpec) -> Floats:
    """Return the logits (N, classes) of pictures that are read with another input than the manifest's."""
    return outputs.of_classes(classifier.output(*prepared(pictures, details, spec)).logits)


def prepared(pictures: Sequence[Pixels], details: Sequence[Clinical], spec: InputSpec) -> tuple[Floats, Floats | None]:
    """Return what a network takes: inputs (N, height, width, 3), and clinical vectors (N, K) or None."""
    inputs = np.stack([network_input(picture, spec) for picture in pictures])
    if spec.clinical == "none":
        return inputs, None
    return inputs, np.stack([clinical.encode(spec.clinical, detail) for detail in details])
