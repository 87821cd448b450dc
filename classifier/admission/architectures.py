"""Which architecture a state_dict was saved from, told by the names and shapes of its tensors."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

SMP_ENCODERS = (
    *(f"efficientnet-b{number}" for number in range(8)),
    *("resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "resnext50_32x4d", "resnext101_32x8d"),
    *("se_resnet50", "se_resnext50_32x4d", "densenet121", "densenet169", "densenet201", "mobilenet_v2"),
)
ENCODER = "encoder."


@dataclass(frozen=True)
class Proposal:
    """An architecture as the manifest would say it, and what was guessed for it."""

    architecture: dict[str, Any]
    assumptions: tuple[str, ...]


def propose(tensors: Mapping[str, "torch.Tensor"]) -> Proposal | None:
    """Return the one architecture that these tensors fit, or None where none or several do."""
    return _smp_encoder(tensors)


def may_be_proposed(architecture: Mapping[str, Any] | None) -> bool:
    """Whether `propose` could have answered this: nothing else may come back from a child unasked."""
    if architecture is None:
        return True
    return architecture in [_smp_architecture(name) for name in SMP_ENCODERS]


def outputs(tensors: Mapping[str, "torch.Tensor"]) -> int | None:
    """The rows of the last matrix in the file: by custom the last layer's outputs."""
    matrices = [tensor.shape[0] for name, tensor in tensors.items() if name.endswith("weight") and tensor.ndim == 2]
    return int(matrices[-1]) if matrices else None


def _smp_encoder(tensors: Mapping[str, "torch.Tensor"]) -> Proposal | None:
    encoder = {name.removeprefix(ENCODER): t.shape for name, t in tensors.items() if name.startswith(ENCODER)}
    head = {name: tensor.shape for name, tensor in tensors.items() if not name.startswith(ENCODER)}
    weights = [name for name, shape in head.items() if name.endswith(".weight") and len(shape) == 2]
    if not encoder or len(weights) != 1 or set(head) - {weights[0], weights[0].replace(".weight", ".bias")}:
        return None
    width = head[weights[0]][1]
    names = [name for name in SMP_ENCODERS if _encoder_fits(name, encoder, width)]
    if len(names) != 1:
        return None
    return Proposal(
        _smp_architecture(names[0]),
        (
            f"the architecture is segmentation-models-pytorch's encoder {names[0]}: all names and shapes agree",
            f"the head {weights[0].removesuffix('.weight')} is average pooling and a linear layer of {width} features",
        ),
    )


def _smp_architecture(name: str) -> dict[str, Any]:
    return {"family": "smp-encoder", "name": name, "head": {"pool": "avg"}}


def _encoder_fits(name: str, shapes: Mapping[str, "torch.Size"], width: int) -> bool:
    import segmentation_models_pytorch as smp
    import torch

    with torch.device("meta"):
        encoder = smp.encoders.get_encoder(name, weights=None)
    if encoder.out_channels[-1] != width:
        return False
    wanted = {key: tensor.shape for key, tensor in encoder.state_dict().items()}
    return _without_counters(wanted) == _without_counters(shapes)


def _without_counters(shapes: Mapping[str, "torch.Size"]) -> dict[str, "torch.Size"]:
    """Batch normalisation counts its batches; old files and some exporters leave that out."""
    return {name: shape for name, shape in shapes.items() if not name.endswith("num_batches_tracked")}
