"""Every tensor of a file is matched with one of a network, or the model is refused with the list."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from classifier.admission.refusal import Refusal, RefusalCode
from classifier.admission.torch.load import Tensors

if TYPE_CHECKING:
    import torch

LISTED = 10
COUNTER = "num_batches_tracked"
HINT = (
    "Correct “architecture” in the manifest: names, sizes and order must be those of the network that was trained. "
    "Names are shown as in the file."
)


def match(network: Mapping[str, "torch.Tensor"], tensors: Tensors) -> tuple[Tensors, list[str]]:
    """Return the tensors under the network's own names, all matched and none missing, and what was done for it.

    `network` is the state_dict of the network that the manifest describes. Raises Refusal with the first ten names.
    """
    attempts = [(taken, _complete(network, _head_renamed(network, named))) for taken, named in _without_prefix(tensors)]
    taken, (placed, notes) = min(attempts, key=lambda attempt: len(_faults(network, attempt[1][0])))
    faults = _faults(network, placed)
    if faults:
        raise _refusal(faults)
    if taken:
        notes = [f"“{taken}” was taken off before every name", *notes]
    return placed, notes


def _without_prefix(tensors: Tensors) -> Iterator[tuple[str, Tensors]]:
    """Yield the tensors under shorter and shorter names, with what was taken off: `module.`, `module.model.`, …"""
    taken = ""
    yield taken, tensors
    while len(firsts := {name.partition(".")[0] for name in tensors}) == 1 and all("." in name for name in tensors):
        prefix = f"{firsts.pop()}."
        taken += prefix
        tensors = {name.removeprefix(prefix): tensor for name, tensor in tensors.items()}
        yield taken, tensors


def _complete(network: Mapping[str, "torch.Tensor"], renamed: tuple[Tensors, list[str]]) -> tuple[Tensors, list[str]]:
    """Add the counters of batch normalisation, which no prediction uses, where the file leaves them out."""
    tensors, notes = renamed
    counters = {name: tensor for name, tensor in network.items() if name.endswith(COUNTER) and name not in tensors}
    return {**tensors, **counters}, notes


def _head_renamed(network: Mapping[str, "torch.Tensor"], tensors: Tensors) -> tuple[Tensors, list[str]]:
    """Map one layer that the file names otherwise, `head.3` or `fc`, where only one place is left for it."""
    missing = [name for name in network if name not in tensors and not name.endswith(COUNTER)]
    spare = [name for name in tensors if name not in network]
    wanted, given = _single_layer(missing), _single_layer(spare)
    if not wanted or not given or len(missing) != len(spare):
        return tensors, []
    renames = {f"{given}.{name.rpartition('.')[2]}": name for name in missing}
    if set(renames) != set(spare):
        return tensors, []
    renamed = {renames.get(name, name): tensor for name, tensor in tensors.items()}
    return renamed, [f"the layer “{given}” of the file is the network's “{wanted}”"]


def _single_layer(names: list[str]) -> str:
    layers = {name.rpartition(".")[0] for name in names}
    return layers.pop() if len(layers) == 1 else ""


def _faults(network: Mapping[str, "torch.Tensor"], tensors: Tensors) -> list[str]:
    faults = [f"{name} is missing" for name in network if name not in tensors]
    for name, tensor in tensors.items():
        if name not in network:
            faults.append(f"{name} has no place")
        elif tensor.shape != network[name].shape:
            faults.append(f"{name} is {_size(tensor)} and should be {_size(network[name])}")
    return faults


def _size(tensor: "torch.Tensor") -> str:
    return " by ".join(map(str, tensor.shape)) or "one number"


def _refusal(faults: list[str]) -> Refusal:
    shown = "; ".join(faults[:LISTED])
    rest = f"; and {len(faults) - LISTED} more" if len(faults) > LISTED else ""
    message = f"The weights do not fit the architecture, {len(faults)} of them: {shown}{rest}."
    return Refusal(RefusalCode.WEIGHTS_DO_NOT_FIT, message, HINT)
