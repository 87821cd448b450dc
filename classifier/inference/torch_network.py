"""PyTorch networks at work: their answers, and Grad-CAM at their last spatial module."""

import os
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn

from classifier.inference.bundle import Bundle
from classifier.inference.classifier import Classifier, Floats, Output, loader
from classifier.inference.torch_architectures import build, fill

torch.set_num_threads(max(1, (os.cpu_count() or 1) // 2))
"""Half of the cores: the workers of two frameworks answer the same case at the same time."""


def last_spatial_module(network: nn.Module, height: int, width: int) -> str | None:
    """Return the name of the module that ended last among those with an output (N, K, rows, columns) beyond 1 × 1."""
    found: list[str] = []

    def listen(name: str) -> Callable[[nn.Module, Any, Any], None]:
        def hook(module: nn.Module, given: Any, output: Any) -> None:
            if isinstance(output, torch.Tensor) and output.ndim == 4 and min(output.shape[2:]) > 1:
                found.append(name)

        return hook

    hooks = [module.register_forward_hook(listen(name)) for name, module in network.named_modules() if name]
    try:
        with torch.no_grad():
            network(torch.zeros(1, 3, height, width))
    finally:
        for hook in hooks:
            hook.remove()
    return found[-1] if found else None


class TorchClassifier(Classifier):
    """The network without gradients up to its last spatial features; the head's gradients from there."""

    def __init__(self, bundle: Bundle) -> None:
        self.manifest = bundle.manifest
        outputs = int(bundle.network["outputs"])
        self.network = build(bundle.network["architecture"], outputs)
        fill(self.network, bundle.tensors)
        self.network.to(memory_format=torch.channels_last)
        spec = self.manifest.input
        self.layer = bundle.layer or last_spatial_module(self.network, spec.height, spec.width)
        self.bytes = 3 * sum(tensor.nbytes for tensor in bundle.tensors.values())

    def output(self, inputs: Floats, vectors: Floats | None, *, maps: bool) -> Output:
        pictures = torch.from_numpy(np.ascontiguousarray(inputs)).permute(0, 3, 1, 2)
        began = time.perf_counter()
        logits, features = self._run(pictures, maps=maps)
        predicted = time.perf_counter()
        found = None if features is None else _grad_cam(logits, features)
        explained = time.perf_counter()
        return Output(logits.detach().numpy(), found, (predicted - began) * 1000, (explained - predicted) * 1000)

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


def _grad_cam(logits: torch.Tensor, features: torch.Tensor) -> Floats:
    """Return signed maps (N, C, rows, columns): the features weighted by the mean gradient of each class's logit.

    Source: Selvaraju et al. 2017, arXiv:1610.02391, equations 1 and 2 without the ReLU.
    """
    maps = []
    for position in range(logits.shape[1]):
        (gradient,) = torch.autograd.grad(logits[:, position].sum(), features, retain_graph=True)
        weights = gradient.mean(dim=(2, 3), keepdim=True)
        maps.append((weights * features.detach()).sum(dim=1))
    return np.asarray(torch.stack(maps, dim=1).numpy())


@loader("torch")
def load_torch(bundle: Bundle) -> Classifier:
    return TorchClassifier(bundle)
