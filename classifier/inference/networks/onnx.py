"""ONNX Runtime as the engine: one run gives logits and features, and no framework is needed for the maps."""

import os
import time
from typing import Any

import numpy as np
import onnxruntime

from classifier.inference import bundle as bundles
from classifier.inference import devices
from classifier.inference.bundle import Bundle, BundleError
from classifier.inference.classifier import Classifier, Floats, Output, load, loader, mapped
from classifier.inference.engines import ONNX, EngineError
from classifier.inference.graph.graph import CLINICAL, LOGITS, PICTURE, FeatureLayer, GraphError, Head, parse
from classifier.inference.maps.methods import Method

onnxruntime.disable_telemetry_events()

ERRORS_ONLY = 3
EXACT = {"use_tf32": "0"}  # 10 bits of mantissa would not be fp32
COPIES = 2  # the weights as they are, and as the engine lays them out


class OnnxClassifier(Classifier):
    """A session and, where the graph has a feature layer, its head; else the framework itself makes the maps."""

    engine = ONNX

    def __init__(self, bundle: Bundle) -> None:
        if bundle.graph is None:
            raise BundleError("it has no graph")
        self.manifest, self.layer = bundle.manifest, bundle.layer or None
        self._folder, self.device = bundle.folder, devices.chosen()
        self._native: Classifier | None = None
        self._session = session(bundle.graph.content)
        self._first_channels = self._session.get_inputs()[0].shape[1] == 3
        described = bundle.graph.feature_layer
        try:
            self._head = Head(parse(bundle.graph.content), FeatureLayer.from_json(described)) if described else None
        except GraphError as error:
            raise BundleError(str(error)) from error
        self.layout = self._head.layer.layout if self._head else None
        self.bytes = COPIES * len(bundle.graph.content) + (self._head.bytes if self._head else 0)

    def output(self, inputs: Floats, vectors: Floats | None, method: Method | None = None) -> Output:
        began = time.perf_counter()
        names = [LOGITS, *(self._head.wanted if method and self._head else ())]
        values = dict(zip(names, self._session.run(names, self._fed(inputs, vectors)), strict=True))
        predicted = time.perf_counter()
        maps = None
        if method is not None:
            maps = _maps(self._head, values, method) if self._head else self._by_framework(inputs, vectors, method)
        explained = time.perf_counter()
        return Output(values[LOGITS], maps, (predicted - began) * 1000, (explained - predicted) * 1000)

    def _fed(self, inputs: Floats, vectors: Floats | None) -> dict[str, Any]:
        pictures = inputs.transpose(0, 3, 1, 2) if self._first_channels else inputs
        fed = {PICTURE: np.ascontiguousarray(pictures)}
        return fed if vectors is None else fed | {CLINICAL: vectors}

    def _by_framework(self, inputs: Floats, vectors: Floats | None, method: Method) -> Floats | None:
        if self._native is None:
            self._native = load(bundles.read(self._folder, native=True))
            self.layout = self._native.layout
            self.bytes += self._native.bytes
        return self._native.output(inputs, vectors, method).maps


def _maps(head: Head, values: dict[str, Any], method: Method) -> Floats:
    """Return maps (N, C, rows, columns); gradients of a few classes at once, so that they stay small."""
    classes, size = values[LOGITS].shape[1], head.chunk(values)
    kept: dict[int, Floats] = {}

    def gradient(position: int) -> Floats:
        if position not in kept:
            kept.clear()
            wanted = range(position, min(position + size, classes))
            kept.update(zip(wanted, head.gradients(values, wanted), strict=True))
        return kept[position]

    return mapped(head.features(values), gradient, classes, method)


def session(content: bytes) -> onnxruntime.InferenceSession:
    """Return a session on all cores that leaves them alone while it waits, or on the CUDA device that was chosen.

    Raises EngineError where ONNX Runtime does not take that device.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = os.cpu_count() or 1
    options.log_severity_level = ERRORS_ONLY
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if devices.chosen() == devices.CPU:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    onnxruntime.preload_dlls()
    found = onnxruntime.InferenceSession(content, options, providers=[(devices.PROVIDER, EXACT)])
    if devices.PROVIDER not in found.get_providers():
        raise EngineError("ONNX Runtime has a CUDA provider and could not start it: see the log", devices.ADVICE)
    return found


@loader(ONNX)
def load_onnx(bundle: Bundle) -> Classifier:
    return OnnxClassifier(bundle)
