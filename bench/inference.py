"""One framework's classifier against what a researcher would write; run as `python -m bench.inference torch FOLDER`.

Inputs are preprocessed already, so that only networks are compared. The EfficientNet-B2 is measured at the 260 px that
its name stands for, whatever size the demo model was trained at: `python -m bench.inference torch FOLDER 160` measures
another. The last line on stdout is JSON.
"""

import dataclasses
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from bench.timing import interleaved
from classifier.admission.stages import export_onnx
from classifier.inference import bundle as bundles
from classifier.inference.classifier import Classifier, load
from classifier.inference.input.clinical import Clinical, encode

BATCHES = (1, 8)
EXPLAINED = 25  # rounds: the cost of maps is a small difference of two large times
SIDES = {"torch": 260}


def main(framework: str, folder: Path, side: int | None = None) -> dict[str, Any]:
    """Compare the bundle of `framework` in `folder` with the framework's own call."""
    path = next(path for path in sorted(folder.iterdir()) if bundles.read(path).framework == framework)
    own, found = bundles.read(path), bundles.read(path, native=True)
    side = side or SIDES.get(framework, own.manifest.input.width)
    if side != own.manifest.input.width:
        own, found = at_side(side, found)
    ours, native = load(own), NATIVE[framework](found)
    ratios: dict[str, Any] = {f"engine_{framework}": ours.engine, f"side_{framework}": side}
    for size in BATCHES:
        inputs, vectors = inputs_of(ours, size)
        contenders: dict[str, Callable[[], Any]] = {
            "ours": lambda inputs=inputs, vectors=vectors: ours.predict(inputs, vectors, maps=False),
            framework: lambda inputs=inputs, vectors=vectors: native(inputs, vectors),
        }
        if framework == "torch":
            last = _eager_torch(found, channels_last=True)
            contenders["channels_last"] = lambda inputs=inputs, vectors=vectors, last=last: last(inputs, vectors)
        seconds = interleaved(contenders)
        for name in contenders.keys() - {"ours"}:
            ratios[f"predict_b{size}_vs_{name}"] = round(seconds[name] / seconds["ours"], 2)
        ratios[f"predict_b{size}_ms_{framework}"] = round(1000 * seconds["ours"], 1)
    return ratios | _explaining(framework, found, ours)


def at_side(side: int, found: bundles.Bundle) -> tuple[bundles.Bundle, bundles.Bundle]:
    """Return the same weights with square pictures of another side, with a graph of their own as at admission."""
    size = found.manifest.input.but(width=side, height=side)
    found = dataclasses.replace(found, manifest=found.manifest.model_copy(update={"input": size}))
    native = load(found)
    content, feature_layer, _reason = export_onnx.export(native)
    graph = bundles.Graph(content, None if feature_layer is None else feature_layer.to_json())
    return dataclasses.replace(found, layer=native.layer, graph=graph), found


def _explaining(framework: str, found: bundles.Bundle, ours: Classifier) -> dict[str, float]:
    inputs, vectors = inputs_of(ours, 1)
    contenders: dict[str, Callable[[], Any]] = {
        "with": lambda: ours.predict(inputs, vectors, maps=True),
        "without": lambda: ours.predict(inputs, vectors, maps=False),
    }
    if framework == "torch":
        contenders["grad_cam"] = _grad_cam(found, ours, inputs)
    seconds = interleaved(contenders, EXPLAINED)
    ratios = {f"explain_cost_{framework}": round(seconds["with"] / seconds["without"], 3)}
    if "grad_cam" in seconds:
        ratios["explain_vs_grad_cam"] = round(seconds["grad_cam"] / seconds["with"], 2)
    return ratios


def inputs_of(ours: Classifier, size: int) -> tuple[Any, Any]:
    spec = ours.manifest.input
    low, high = spec.range
    pixels = np.random.default_rng(0).uniform(low, high, (size, spec.height, spec.width, 3)).astype(np.float32)
    vectors = None if spec.clinical == "none" else np.stack([encode(spec.clinical, Clinical())] * size)
    return pixels, vectors


def torch_network(found: bundles.Bundle) -> Any:
    from classifier.inference.networks import torch_architectures

    network = torch_architectures.build(found.network["architecture"], int(found.network["outputs"]))
    torch_architectures.fill(network, found.tensors)
    return network


def _eager_torch(found: bundles.Bundle, *, channels_last: bool = False) -> Callable[[Any, Any], Any]:
    """What a researcher writes, on all cores; `channels_last` is what the better informed one adds."""
    import torch

    torch.set_num_threads(os.cpu_count() or 1)
    order = torch.channels_last if channels_last else torch.contiguous_format
    network = torch_network(found).to(memory_format=order)

    def call(inputs: Any, vectors: Any) -> Any:
        with torch.inference_mode():
            return network(torch.from_numpy(inputs).permute(0, 3, 1, 2).contiguous(memory_format=order))

    return call


def _grad_cam(found: bundles.Bundle, ours: Classifier, inputs: Any) -> Callable[[], Any]:
    import torch
    from pytorch_grad_cam import GradCAM
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    network = torch_network(found).requires_grad_(True)
    method = GradCAM(network, [network.get_submodule(str(ours.layer))])
    pictures = torch.from_numpy(inputs).permute(0, 3, 1, 2).contiguous()
    return lambda: method(pictures, [ClassifierOutputTarget(0)])


def _keras_predict(found: bundles.Bundle) -> Callable[[Any, Any], Any]:
    from classifier.inference.networks import keras as keras_network

    model = keras_network.build(found.network)
    keras_network.fill(model, found.tensors)
    return lambda inputs, vectors: model.predict([inputs] if vectors is None else [inputs, vectors], verbose=0)


NATIVE = {"torch": _eager_torch, "keras": _keras_predict}

if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], Path(sys.argv[2]), *map(int, sys.argv[3:]))))
