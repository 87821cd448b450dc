"""The fast lane: a bundle's graph by OpenVINO in reduced precision. Faster, less exact, and without maps."""

import os
import sys
import time
from typing import Any

import numpy as np

from classifier.inference.bundle import Bundle, BundleError
from classifier.inference.classifier import Classifier, Floats, Output, loader
from classifier.inference.engines import BF16, FAST, EngineError
from classifier.inference.graph.graph import CLINICAL, LOGITS, PICTURE
from classifier.inference.maps.methods import Method

PRECISION = "INFERENCE_PRECISION_HINT"
COPIES = 2  # the weights as they are, and as the engine lays them out


class OpenVinoClassifier(Classifier):
    """A graph compiled for its logits alone; `precision` is `bf16`, or `f32` where exact numbers are wanted.

    Raises BundleError for a bundle without a graph, EngineError where the processor does not compute so.
    """

    engine, layer = FAST, None

    def __init__(self, bundle: Bundle, precision: str = BF16) -> None:
        if bundle.graph is None:
            raise BundleError("it has no graph")
        self.manifest = bundle.manifest
        openvino = _openvino()
        core = openvino.Core()
        graph = core.read_model(bundle.graph.content)
        parameters = graph.get_parameters()
        self._first_channels = graph.input(PICTURE).partial_shape[1] == 3
        logits = openvino.Model([graph.output(LOGITS).node], parameters)  # what only maps need is not computed
        hints = {
            "PERFORMANCE_HINT": "LATENCY",
            PRECISION: precision,
            "INFERENCE_NUM_THREADS": os.cpu_count() or 1,
        }
        compiled = core.compile_model(logits, "CPU", hints)
        used = compiled.get_property(PRECISION).to_string()
        if used != precision:
            raise EngineError(f"OpenVINO computes in {used} on this processor, where {precision} was asked for")
        self._request = compiled.create_infer_request()
        self.bytes = COPIES * len(bundle.graph.content)

    def output(self, inputs: Floats, vectors: Floats | None, method: Method | None = None) -> Output:
        pictures = np.ascontiguousarray(inputs.transpose(0, 3, 1, 2) if self._first_channels else inputs)
        fed: dict[str, Any] = {PICTURE: pictures} | ({} if vectors is None else {CLINICAL: vectors})
        began = time.perf_counter()
        (logits,) = self._request.infer(fed).values()
        return Output(logits, None, (time.perf_counter() - began) * 1000, 0.0)


def _openvino() -> Any:
    """Import OpenVINO, which reports each import over the network where its telemetry is installed: not from here."""
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
    import openvino

    return openvino


@loader(FAST)
def load_openvino(bundle: Bundle) -> Classifier:
    """Raises EngineError for a bundle whose admission did not measure the fast lane."""
    if bundle.graph is not None and bundle.graph.fast is None:
        raise EngineError("its admission did not measure the fast lane")
    return OpenVinoClassifier(bundle)
