"""Which module of a PyTorch network heat maps are made at: the last whose output keeps the picture's geometry."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from classifier.inference.maps.layouts import TOKENS, Layout, of_shape

MOST_PREFIX = 8
FEWEST_BLOCKS = 2


@dataclass(frozen=True)
class ModuleOutput:
    """A module that returned a tensor: its name, and the shape without the batch."""

    name: str
    shape: tuple[int, ...]


def spatial_layers(network: nn.Module, height: int, width: int) -> dict[str, Layout]:
    """Return the modules whose output keeps the picture's geometry, with its layout, the best for maps as the last."""
    outputs = _run(network, height, width)
    grids = [(each, layout) for each in outputs if (layout := of_shape(each.shape, height, width))]
    found = {each.name: layout for each, layout in grids}
    if grids and (tokens := _before_last_block(outputs, grids)):
        found[tokens[0]] = tokens[1]
    elif grids:
        found[grids[-1][0].name] = found.pop(grids[-1][0].name)
    return found


def _run(network: nn.Module, height: int, width: int) -> list[ModuleOutput]:
    """Return what the modules returned, in the order in which they ended."""
    outputs: list[ModuleOutput] = []

    def listen(name: str) -> Callable[[nn.Module, Any, Any], None]:
        def hook(module: nn.Module, given: Any, output: Any) -> None:
            if isinstance(output, torch.Tensor):
                outputs.append(ModuleOutput(name, tuple(output.shape[1:])))

        return hook

    attending = tuple(
        f"{name}." for name, module in network.named_modules() if "attention" in type(module).__name__.lower()
    )
    hooks = [
        module.register_forward_hook(listen(name))
        for name, module in network.named_modules()
        if name and not name.startswith(attending)  # inside, grids are of tokens against tokens, or of one head
    ]
    try:
        with torch.no_grad():
            network(torch.zeros(1, 3, height, width))
    finally:
        for hook in hooks:
            hook.remove()
    return outputs


def _before_last_block(
    outputs: list[ModuleOutput], grids: list[tuple[ModuleOutput, Layout]]
) -> tuple[str, Layout] | None:
    """For a transformer: the block whose output the last block's first norm takes.

    Its blocks stand in one container, follow the last grid (the patches), and return its places as tokens, with a few
    tokens more before them.
    """
    last, patches = grids[-1]
    places = patches.rows * patches.columns
    blocks: dict[str, list[ModuleOutput]] = {}
    for each in outputs[outputs.index(last) + 1 :]:
        parent, _dot, number = each.name.rpartition(".")
        if len(each.shape) == 2 and 0 <= each.shape[0] - places <= MOST_PREFIX and _is_place(number):
            blocks.setdefault(parent, []).append(each)
    longest = max(blocks.values(), key=len, default=[])
    if len(longest) < FEWEST_BLOCKS:
        return None
    block = longest[-2]
    return block.name, Layout(TOKENS, patches.rows, patches.columns, block.shape[0] - places)


def _is_place(name: str) -> bool:
    """Whether a module is one of several in a container: `3`, or torchvision's `encoder_layer_3`."""
    return name.rpartition("_")[2].isdigit()
