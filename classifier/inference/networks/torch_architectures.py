"""PyTorch networks by name or by list: built from a declared architecture, with their weights filled in strictly."""

import os
import warnings
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
from torch import nn

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
    """An encoder of segmentation-models-pytorch with a classification head on the deepest features."""

    def __init__(self, name: str, head: Mapping[str, Any], outputs: int) -> None:
        super().__init__()
        import segmentation_models_pytorch as smp

        self.encoder = smp.encoders.get_encoder(name, in_channels=3, depth=5, weights=None)
        width, pool, dropout = self.encoder.out_channels[-1], head.get("pool", "avg"), float(head.get("dropout", 0.0))
        self.head = smp.base.ClassificationHead(
            in_channels=width, classes=outputs, pooling=pool, dropout=dropout, activation=None
        )
        if "layers" in head:
            self.head = nn.Sequential(
                OrderedDict(pool=self.head[0], flatten=self.head[1], **_named_layers(head["layers"]))
            )

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.head(self.encoder(pictures)[-1])
        return logits


@family("smp-encoder")
def smp_encoder(architecture: Mapping[str, Any], outputs: int) -> nn.Module:
    return EncoderWithHead(_name(architecture), architecture.get("head") or {}, outputs)


@family("timm")
def timm_model(architecture: Mapping[str, Any], outputs: int) -> nn.Module:
    import timm

    return _with_head(timm.create_model(_name(architecture), pretrained=False, num_classes=outputs), architecture)


@family("torchvision")
def torchvision_model(architecture: Mapping[str, Any], outputs: int) -> nn.Module:
    import torchvision

    options: dict[str, Any] = {"weights": None, "num_classes": outputs}
    name = _name(architecture)
    if name in ("googlenet", "inception_v3"):
        options |= {"init_weights": False, "aux_logits": bool(architecture.get("aux_logits", True))}
    return _with_head(torchvision.models.get_model(name, **options), architecture)


@family("efficientnet-pytorch")
def efficientnet_pytorch(architecture: Mapping[str, Any], outputs: int) -> nn.Module:
    """The network of the package efficientnet_pytorch, carried on in smp: its names, BN epsilon and static padding."""
    from segmentation_models_pytorch.encoders import _efficientnet as layout

    blocks, settings = layout.get_model_params(_name(architecture), {"num_classes": outputs})
    return _with_head(layout.EfficientNet(blocks, settings), architecture)


def _with_head(network: nn.Module, architecture: Mapping[str, Any]) -> nn.Module:
    """Put the head's own layers, if there are any, in place of the module `at`, which takes the pooled features."""
    head = architecture.get("head") or {}
    if "layers" in head:
        network.set_submodule(
            str(head.get("at")), nn.Sequential(OrderedDict(_named_layers(head["layers"]))), strict=True
        )
    return network


class Layers(nn.Module):
    """Layers one after another; their names may have dots, as `features.0` in a file."""

    def __init__(self, layers: Mapping[str, nn.Module]) -> None:
        super().__init__()
        self.order = tuple(layers)
        for name, layer in layers.items():
            place: nn.Module = self
            for part in name.split(".")[:-1]:
                if part not in dict(place.named_children()):
                    place.add_module(part, nn.Module())
                place = place.get_submodule(part)
            place.add_module(name.rpartition(".")[2], layer)

    def forward(self, value: torch.Tensor) -> torch.Tensor:
        for name in self.order:
            value = self.get_submodule(name)(value)
        return value


@family("layers")
def plain_layers(architecture: Mapping[str, Any], outputs: int) -> nn.Module:
    """A plain sequence; the widths of inputs come from the weights when they are loaded."""
    return Layers(_named_layers(architecture.get("layers")))


def _named_layers(layers: Any) -> dict[str, nn.Module]:
    if not isinstance(layers, list) or not 1 <= len(layers) <= 500:
        raise ArchitectureError("layers must be a list of 1 to 500 layers")
    named: dict[str, nn.Module] = {}
    for position, layer in enumerate(layers):
        kind = str(layer.get("type")) if isinstance(layer, Mapping) else "none"
        if kind not in LAYERS:
            raise ArchitectureError(
                f"layers[{position}]: the type {kind!r} is not known; known are {', '.join(LAYERS)}"
            )
        name = str(layer.get("name") or f"layer{position}")
        if name in named:
            raise ArchitectureError(f"layers[{position}]: there is a layer {name!r} already")
        named[name] = _lazily(LAYERS[kind], layer)
    return named


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


def fixed_side(network: nn.Module) -> int | None:
    """Return the side in pixels of the only picture that a network takes (most transformers), None where any fits."""
    settings = getattr(network, "pretrained_cfg", None) or {}
    if settings.get("fixed_input_size"):
        return int(settings["input_size"][1])
    side = getattr(network, "image_size", None)
    return side if isinstance(side, int) else None


def fill(network: nn.Module, tensors: Mapping[str, Any]) -> None:
    """Place every tensor, none missing. Raises ArchitectureError with what does not fit."""
    state = OrderedDict((name, torch.as_tensor(value)) for name, value in tensors.items())
    # Some modules ask for the version of their layout (MNASNet does): it is the one that was built.
    state._metadata = network.state_dict()._metadata  # type: ignore[attr-defined]
    try:
        network.load_state_dict(state, strict=True)
    except (RuntimeError, ValueError) as error:
        raise ArchitectureError(str(error)) from error
    network.requires_grad_(False)
