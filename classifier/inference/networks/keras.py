"""Keras networks: built from a checked configuration, explained at their last spatial layer."""

import copy
import os
import time
from collections.abc import Mapping
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from classifier.inference import devices

if devices.chosen() == devices.CPU:
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from classifier.inference.bundle import Bundle
from classifier.inference.classifier import Classifier, Floats, Output, loader, mapped
from classifier.inference.maps.layouts import LAST, Layout
from classifier.inference.maps.methods import Method
from classifier.inference.networks.keras_activation import to_logits
from classifier.inference.networks.keras_hooks import alone, hooked, operations, spatial_layers

tf.config.set_visible_devices([], "GPU")  # where a CUDA device was chosen, it is ONNX Runtime's


def build(config: Mapping[str, Any]) -> keras.Model:
    """Return the network of a configuration that admission has checked; its weights are still random."""
    own = copy.deepcopy(dict(config))  # Keras empties what it reads
    return keras.saving.deserialize_keras_object(own, safe_mode=True)


def dump(model: keras.Model) -> dict[str, npt.NDArray[Any]]:
    """Return the weights under their position, so that names need not be unique."""
    return {f"{position:05d}": np.asarray(weight) for position, weight in enumerate(model.get_weights())}


def fill(model: keras.Model, tensors: Mapping[str, npt.NDArray[Any]]) -> None:
    """Set the weights that `dump` returned. Raises ValueError where number or shapes differ."""
    model.set_weights([tensors[name] for name in sorted(tensors)])
    for layer in leaves(model):
        if isinstance(layer, keras.layers.Normalization):
            layer.finalize_state()


def leaves(model: keras.Model) -> list[keras.layers.Layer]:
    """Return the layers that contain no others, those of nested models too."""
    layers = model._flatten_layers(include_self=False, recursive=True)
    return [layer for layer in layers if not list(layer._flatten_layers(include_self=False, recursive=False))]


class KerasClassifier(Classifier):
    """Two compiled functions: the network with its spatial features, and the head's gradients from those features."""

    def __init__(self, bundle: Bundle) -> None:
        self.manifest = bundle.manifest
        self.model = build(bundle.network)
        fill(self.model, bundle.tensors)
        self._to_logits = to_logits(self.model, self.manifest.output)
        spec, parts = self.manifest.input, operations(self.model)
        self.layers = () if bundle.layer == "" else spatial_layers(self.model, spec.height, spec.width)
        self.layer = bundle.layer if bundle.layer in self.layers else next(reversed(self.layers), None)
        self.bytes = 3 * sum(tensor.nbytes for tensor in bundle.tensors.values())
        self.layout = None if self.layer is None else Layout(LAST, 0, 0)  # Keras on TensorFlow: always channels last
        self._hooked = [parts[self.layer]] if self.layer else []
        self._network = tf.function(self.run_graph, reduce_retracing=True)
        self._head = tf.function(self._gradient, reduce_retracing=True)

    def output(self, inputs: Floats, vectors: Floats | None, method: Method | None = None) -> Output:
        given = self._arranged(inputs, vectors)
        began = time.perf_counter()
        logits, features = self._network(given)
        logits = logits.numpy()
        predicted = time.perf_counter()
        found = None
        if method is not None:
            own = features.numpy()

            def gradient(position: int) -> Floats:
                return np.asarray(self._head(features, given, tf.constant(position)).numpy())

            found = mapped(own, gradient, logits.shape[1], method)
        explained = time.perf_counter()
        return Output(logits, found, (predicted - began) * 1000, (explained - predicted) * 1000)

    def _arranged(self, inputs: Floats, vectors: Floats | None) -> list[Any]:
        """Order pictures and vectors as the network declares its inputs: pictures have rank 4."""
        by_rank = {4: inputs, 2: vectors}
        return [tf.constant(by_rank[len(tensor.shape)]) for tensor in self.model.inputs]

    def run_graph(self, given: list[Any]) -> tuple[Any, Any]:
        """Return logits (N, C) and the hooked layer's features (N, rows, columns, K)."""
        seen: list[Any] = []

        def hook(part: Any, features: Any) -> Any:
            seen.append(features)
            return features

        with hooked(self._hooked, hook):
            logits = self._to_logits(self.model(alone(given), training=False))
        return logits, seen[-1] if seen else logits

    def _gradient(self, features: Any, given: list[Any], position: Any) -> Any:
        """Return the gradient of one class's logit with respect to the features, of their shape.

        The hooked layer's output is replaced by `features`, so that nothing before it stays in the compiled graph.
        """
        with (
            tf.GradientTape(watch_accessed_variables=False) as tape,
            hooked(self._hooked, lambda part, output: features),
        ):
            tape.watch(features)
            logit = tf.gather(self._to_logits(self.model(alone(given), training=False)), position, axis=1)
        return tape.gradient(logit, features, unconnected_gradients="zero")


@loader("keras")
def load_keras(bundle: Bundle) -> Classifier:
    return KerasClassifier(bundle)
