"""The one interface of all frameworks: pictures in, probabilities and heat maps out."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module

import numpy as np
import numpy.typing as npt

from classifier.inference import clinical
from classifier.inference.bundle import Bundle
from classifier.inference.clinical import Clinical
from classifier.inference.images import Pixels
from classifier.inference.manifest import InputSpec, Manifest
from classifier.inference.preprocess import network_input

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
CLIP = 1e-12


@dataclass(frozen=True)
class Output:
    """What a network says: logits (N, C) before softmax or sigmoid, and signed maps (N, C, rows, columns) or None."""

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
    logits: Floats
    maps: Floats | None
    predict_ms: float
    explain_ms: float


class Classifier(ABC):
    """A loaded network. `layer` names where its maps come from, `bytes` estimates its memory."""

    manifest: Manifest
    layer: str | None
    bytes: int

    @abstractmethod
    def output(self, inputs: Floats, vectors: Floats | None, *, maps: bool) -> Output:
        """Run the network on inputs (N, height, width, 3) and clinical vectors (N, K)."""

    def predict(self, inputs: Floats, vectors: Floats | None = None, *, maps: bool = True) -> Answer:
        """Return the answer for preprocessed inputs."""
        output = self.output(inputs, vectors, maps=maps and self.layer is not None)
        return _answer(output, self.manifest)


def _answer(output: Output, manifest: Manifest) -> Answer:
    """Turn logits into probabilities in float64; one sigmoid z becomes two classes with logits (-z, z)."""
    logits, maps, scores = output.logits, output.maps, None
    if logits.shape[1] == 1:
        probability = sigmoid(logits)
        probabilities = np.concatenate([1 - probability, probability], axis=1)
        logits = np.concatenate([-logits, logits], axis=1)
        maps = None if maps is None else np.concatenate([-maps, maps], axis=1)
    elif manifest.output == "sigmoid":
        scores = sigmoid(logits)
        probabilities = scores / scores.sum(axis=1, keepdims=True).clip(CLIP)
    else:
        probabilities = softmax(logits)
    return Answer(probabilities, scores, logits, maps, output.predict_ms, output.explain_ms)


def softmax(logits: Floats) -> Doubles:
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    exponentials = np.exp(shifted)
    return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True))


def sigmoid(logits: Floats) -> Doubles:
    return np.asarray(1 / (1 + np.exp(-logits.astype(np.float64))))


Loader = Callable[[Bundle], Classifier]
_loaders: dict[str, Loader] = {}
MODULES = {"keras": "classifier.inference.keras_network", "torch": "classifier.inference.torch_network"}


def loader(framework: str) -> Callable[[Loader], Loader]:
    """Register the decorated function as the way to load a framework's bundles; a second one raises."""

    def register(load_bundle: Loader) -> Loader:
        if framework in _loaders:
            raise ValueError(f"there is a loader for {framework} already")
        _loaders[framework] = load_bundle
        return load_bundle

    return register


def load(bundle: Bundle) -> Classifier:
    """Load a bundle with its own framework, which is imported here and never before."""
    import_module(MODULES[bundle.framework])
    return _loaders[bundle.framework](bundle)


def run(
    classifier: Classifier, pictures: Sequence[Pixels], details: Sequence[Clinical], *, maps: bool = True
) -> Answer:
    """Preprocess pictures, uint8 (height, width, 3) each, and predict; preprocessing counts as predicting."""
    began = time.perf_counter()
    inputs, vectors = _prepared(pictures, details, classifier.manifest.input)
    prepared_ms = (time.perf_counter() - began) * 1000
    answer = classifier.predict(inputs, vectors, maps=maps)
    return Answer(**{**vars(answer), "predict_ms": answer.predict_ms + prepared_ms})


def logits(classifier: Classifier, pictures: Sequence[Pixels], details: Sequence[Clinical], spec: InputSpec) -> Floats:
    """Return the logits (N, C) of pictures that are read with another input than the manifest's.

    One sigmoid's logit z is (0, z): their softmax is (1 - p, p).
    """
    found = classifier.output(*_prepared(pictures, details, spec), maps=False).logits
    return np.concatenate([np.zeros_like(found), found], axis=1) if found.shape[1] == 1 else found


def _prepared(pictures: Sequence[Pixels], details: Sequence[Clinical], spec: InputSpec) -> tuple[Floats, Floats | None]:
    inputs = np.stack([network_input(picture, spec) for picture in pictures])
    if spec.clinical == "none":
        return inputs, None
    return inputs, np.stack([clinical.encode(spec.clinical, detail) for detail in details])
