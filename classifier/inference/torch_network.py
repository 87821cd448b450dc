"""PyTorch networks: built from a declared architecture, explained at their last spatial module."""

import os
import time
import warnings
from collections.abc import Callable, Mapping
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import numpy as np
import torch
from torch import nn

from classifier.inference.bundle import Bundle
from classifier.inference.classifier import Classifier, Floats, Output, loader

torch.set_num_threads(max(1, (os.cpu_count() or 1) // 2))
"""Half of the cores: the workers of two frameworks answer the same case at the same time."""

Family = Callable[[Mapping[str, Any], int], nn.Module]
_families: dict[str, Family] = {}


class ArchitectureError(ValueError):
    """The declared architecture cannot be built; the message says why."""


def family(name: str) -> Callable[[Family], Family]:
    """Register the decorated function as the builder of a family of architectures."""

    def register(build_family: Family) -> Family:
        if name in _families:
            raise ValueError(f"there is a family {name} already")
        _families[name] = build_family
        return build_family

    return register


def family_names() -> tuple[str, ...]:
    return tuple(_families)


def build(architecture: Mapping[str, Any], outputs: int) -> nn.Module:
    """Return the network in evaluation mode, with random weights; nothing is downloaded. Raises ArchitectureError."""
    name = architecture.get("family")
    if name not in _families:
        raise ArchitectureError(f"the family {name!r} is not known; known are {', '.join(_families)}")
    try:
        return _families[name](architecture, outputs).eval()
    except ArchitectureError:
        raise
    except Exception as error:  # the libraries raise almost anything for names and options they do not know
        raise ArchitectureError(f"the architecture cannot be built: {error}") from error


class EncoderWithHead(nn.Module):
    """An encoder of segmentation-models-pytorch with its classification head on the deepest features."""

    def __init__(self, name: str, pool: str, dropout: float, outputs: int) -> None:
        super().__init__()
        import segmentation_models_pytorch as smp

        self.encoder = smp.encoders.get_encoder(name, in_channels=3, depth=5, weights=None)
        self.head = smp.base.ClassificationHead(
            in_channels=self.encoder.out_channels[-1], classes=outputs, pooling=pool, dropout=dropout, activation=None
        )

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.head(self.encoder(pictures)[-1])
        return logits


@family("smp-encoder")
def smp_encoder(architecture: Mapping[str, Any], outputs: int) -> nn.Module:
    head = architecture.get("head") or {}
    dropout = float(head.get("dropout", 0.0))
    return EncoderWithHead(_name(architecture), head.get("pool", "avg"), dropout, outputs)


@family("timm")
def timm_model(architecture: Mapping[str, Any], outputs: int) -> nn.Module:
    import timm

    model: nn.Module = timm.create_model(_name(architecture), pretrained=False, num_classes=outputs)
    return model


@family("torchvision")
def torchvision_model(architecture: Mapping[str, Any], outputs: int) -> nn.Module:
    import torchvision

    options: dict[str, Any] = {"weights": None, "num_classes": outputs}
    name = _name(architecture)
    if name in ("googlenet", "inception_v3"):
        options |= {"init_weights": False, "aux_logits": bool(architecture.get("aux_logits", True))}
    model: nn.Module = torchvision.models.get_model(name, **options)
    return model


@family("layers")
def plain_layers(architecture: Mapping[str, Any], outputs: int) -> nn.Module:
    """A plain sequence; the widths of inputs come from the weights when they are loaded."""
    layers = architecture.get("layers")
    if not isinstance(layers, list) or not 1 <= len(layers) <= 500:
        raise ArchitectureError("layers must be a list of 1 to 500 layers")
    network = nn.Sequential()
    for position, layer in enumerate(layers):
        kind = str(layer.get("type")) if isinstance(layer, Mapping) else "none"
        if kind not in LAYERS:
            raise ArchitectureError(
                f"layers[{position}]: the type {kind!r} is not known; known are {', '.join(LAYERS)}"
            )
        network.add_module(str(layer.get("name") or f"layer{position}"), _lazily(LAYERS[kind], layer))
    return network


def _lazily(make: Callable[[Mapping[str, Any]], nn.Module], layer: Mapping[str, Any]) -> nn.Module:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Lazy modules")
        return make(layer)


def _conv2d(layer: Mapping[str, Any]) -> nn.Module:
    kernel = int(layer["kernel"])
    return nn.LazyConv2d(
        int(layer["out"]),
        kernel,
        stride=int(layer.get("stride", 1)),
        padding=int(layer.get("padding", (kernel - 1) // 2)),
        dilation=int(layer.get("dilation", 1)),
        groups=int(layer.get("groups", 1)),
        bias=bool(layer.get("bias", True)),
    )


def _pool(kind: type[nn.Module]) -> Callable[[Mapping[str, Any]], nn.Module]:
    def make(layer: Mapping[str, Any]) -> nn.Module:
        kernel = int(layer.get("kernel", 2))
        return kind(kernel, stride=int(layer.get("stride", kernel)), padding=int(layer.get("padding", 0)))

    return make


LAYERS: Mapping[str, Callable[[Mapping[str, Any]], nn.Module]] = {
    "conv2d": _conv2d,
    "batchnorm2d": lambda layer: nn.LazyBatchNorm2d(eps=float(layer.get("eps", 1e-5))),
    "batchnorm1d": lambda layer: nn.LazyBatchNorm1d(eps=float(layer.get("eps", 1e-5))),
    "linear": lambda layer: nn.LazyLinear(int(layer["out"]), bias=bool(layer.get("bias", True))),
    "relu": lambda layer: nn.ReLU(),
    "leaky_relu": lambda layer: nn.LeakyReLU(float(layer.get("slope", 0.01))),
    "silu": lambda layer: nn.SiLU(),
    "gelu": lambda layer: nn.GELU(),
    "tanh": lambda layer: nn.Tanh(),
    "sigmoid": lambda layer: nn.Sigmoid(),
    "dropout": lambda layer: nn.Dropout(float(layer.get("p", 0.5))),
    "flatten": lambda layer: nn.Flatten(),
    "maxpool2d": _pool(nn.MaxPool2d),
    "avgpool2d": _pool(nn.AvgPool2d),
    "adaptiveavgpool2d": lambda layer: nn.AdaptiveAvgPool2d(int(layer.get("size", 1))),
    "adaptivemaxpool2d": lambda layer: nn.AdaptiveMaxPool2d(int(layer.get("size", 1))),
}


def _name(architecture: Mapping[str, Any]) -> str:
    name = architecture.get("name")
    if not isinstance(name, str) or not name:
        raise ArchitectureError("the architecture needs a name")
    return name


def fill(network: nn.Module, tensors: Mapping[str, Any]) -> None:
    """Place every tensor, none missing. Raises ArchitectureError with what does not fit."""
    try:
        network.load_state_dict({name: torch.as_tensor(value) for name, value in tensors.items()}, strict=True)
    except RuntimeError as error:
        raise ArchitectureError(str(error)) from error
    network.requires_grad_(False)


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
