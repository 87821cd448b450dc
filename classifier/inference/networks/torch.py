"""PyTorch networks at work: their answers, and Grad-CAM at their last spatial module."""

import os
import time
from typing import Any

import numpy as np
import torch
from torch import nn

from classifier.inference import devices
from classifier.inference.bundle import Bundle
from classifier.inference.classifier import Classifier, Floats, Output, loader, mapped
from classifier.inference.engines import EngineError
from classifier.inference.maps.layouts import Layout
from classifier.inference.maps.methods import Method
from classifier.inference.networks.torch_architectures import build, fill
from classifier.inference.networks.torch_layers import spatial_layers

torch.set_num_threads(max(1, (os.cpu_count() or 1) // 2))
"""Half of the cores: the workers of two frameworks answer the same case at the same time."""
torch.backends.cudnn.allow_tf32 = False  # as on the CPU: fp32
torch.backends.mha.set_fastpath_enabled(False)  # another path for the same numbers, which no graph knows


class TorchClassifier(Classifier):
    """The network without gradients up to its last spatial features; the head's gradients from there."""

    def __init__(self, bundle: Bundle) -> None:
        self.manifest = bundle.manifest
        outputs = int(bundle.network["outputs"])
        self.network = build(bundle.network["architecture"], outputs)
        fill(self.network, bundle.tensors)
        if devices.chosen() == devices.CUDA and not torch.cuda.is_available():
            raise EngineError("PyTorch sees no CUDA device", devices.ADVICE)
        self.device = devices.chosen()
        self.network.to(self.device).to(memory_format=torch.channels_last)
        spec = self.manifest.input
        found = {} if bundle.layer == "" else spatial_layers(self.network, spec.height, spec.width)
        self.layers = tuple(found)
        self.layer = bundle.layer if bundle.layer in found else next(reversed(found), None)
        self.layout = found[self.layer] if self.layer else None
        self.bytes = 3 * sum(tensor.nbytes for tensor in bundle.tensors.values())

    def output(self, inputs: Floats, vectors: Floats | None, method: Method | None = None) -> Output:
        pictures = torch.from_numpy(np.ascontiguousarray(inputs)).to(self.device).permute(0, 3, 1, 2)
        began = time.perf_counter()
        logits, features = self._run(pictures, maps=method is not None)
        predicted = time.perf_counter()
        found = None
        if method is not None and features is not None and self.layout is not None:
            found = _maps(logits, features, self.layout, method)
        explained = time.perf_counter()
        return Output(logits.detach().cpu().numpy(), found, (predicted - began) * 1000, (explained - predicted) * 1000)

    def _run(self, pictures: torch.Tensor, *, maps: bool) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Return logits (N, C) and, for maps, the features (N, K, rows, columns) from which gradients are recorded."""
        seen: list[torch.Tensor] = []

        def record(module: nn.Module, given: Any, output: torch.Tensor) -> torch.Tensor:
            features = output.detach().requires_grad_()
            seen.append(features)
            torch.set_grad_enabled(True)
            return features.clone()  # a head that works in place must not touch the leaf

        with torch.no_grad():
            if not maps or self.layer is None:
                return self.network(pictures), None
            hook = self.network.get_submodule(self.layer).register_forward_hook(record)
            try:
                return self.network(pictures), seen[-1]
            finally:
                hook.remove()


def _maps(logits: torch.Tensor, features: torch.Tensor, layout: Layout, method: Method) -> Floats:
    """Return signed maps (N, C, rows, columns) from the gradients of each class's logit."""

    def gradient(position: int) -> Floats:
        (found,) = torch.autograd.grad(logits[:, position].sum(), features, retain_graph=True)
        return layout.grid(found.cpu().numpy())

    return mapped(layout.grid(features.detach().cpu().numpy()), gradient, logits.shape[1], method)


@loader("torch")
def load_torch(bundle: Bundle) -> Classifier:
    return TorchClassifier(bundle)
