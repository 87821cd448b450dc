"""A PyTorch network rebuilt from an architecture and a state_dict, each tensor in its place."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from classifier.admission.architectures import outputs, propose
from classifier.admission.facts import Facts
from classifier.admission.outcome import Refusal, Report
from classifier.admission.placing import place
from classifier.admission.proposals import CLASSES_HINT, UNKNOWN_SIDE
from classifier.admission.torch_files import Tensors, without_prefix
from classifier.inference import torch_network

Floats = NDArray[np.float32]
PRETRAINED = ("smp-encoder", "timm", "torchvision", "efficientnet-pytorch")
NAME = re.compile(r"[\w.-]{1,100}", re.ASCII)
ARCHITECTURE_HINT = (
    'Give “architecture” in the manifest, for example {"family": "timm", "name": "efficientnet_b2"} or '
    '{"family": "layers", "layers": […]}: a state_dict holds numbers and names, not the network.'
)


@dataclass(frozen=True)
class Rebuilt:
    """`arrays` are the tensors under the network's own names; `native` is the filled network, NHWC pictures in."""

    architecture: dict[str, Any]
    facts: Facts
    arrays: dict[str, NDArray[Any]]
    native: Callable[[Floats, Floats | None], Floats]


def rebuild(tensors: Tensors, manifest: dict[str, Any], report: Report) -> Rebuilt:
    """Build what the manifest or the tensors' names say, strictly. Raises Refusal."""
    architecture = _architecture(tensors, manifest, report)
    count = _outputs(tensors, manifest)
    network = _built(architecture, count)
    _materialise(network, manifest.get("input") or {})
    placed, notes = place(network.state_dict(), tensors)
    for note in notes:
        report.passed("architecture", note)
    torch_network.fill(network, placed)
    parameters = sum(parameter.numel() for parameter in network.parameters())
    report.passed("architecture", f"{len(placed)} tensors placed, none missing, none left over")
    facts = Facts(
        framework="torch",
        architecture=_describe(architecture),
        outputs=count,
        parameters=parameters,
        pretrained_family=architecture["family"] in PRETRAINED,
    )
    return Rebuilt(architecture, facts, {name: tensor.numpy() for name, tensor in placed.items()}, _native(network))


def _architecture(tensors: Tensors, manifest: dict[str, Any], report: Report) -> dict[str, Any]:
    given = manifest.get("architecture")
    if given:
        _check_given(given)
        return dict(given)
    proposals = [proposal for _taken, named in without_prefix(tensors) if (proposal := propose(named))]
    if not proposals:
        names = ", ".join(list(tensors)[:5])
        message = f"The weights do not tell their architecture: {len(tensors)} tensors, {names}…"
        raise Refusal("architecture", "needs-architecture", message, ARCHITECTURE_HINT)
    for assumption in proposals[0].assumptions:
        report.assumed(assumption)
    return proposals[0].architecture


def _check_given(given: Mapping[str, Any]) -> None:
    """A name with a colon or slash would make timm look elsewhere for a configuration."""
    name = given.get("name")
    if name is not None and (not isinstance(name, str) or not NAME.fullmatch(name)):
        message = f"The architecture's name {str(name)[:60]!r} is none: letters, digits, dot, - and _ are."
        raise Refusal("architecture", "unknown-architecture", message, ARCHITECTURE_HINT)
    layers = given.get("layers")
    if isinstance(layers, list) and layers and isinstance(layers[-1], Mapping) and layers[-1].get("type") == "sigmoid":
        message = "The architecture's last layer is a sigmoid; it belongs to the output, not to the layers."
        raise Refusal("architecture", "ends-with-sigmoid", message, 'Leave it out, and write "output": "sigmoid".')


def _outputs(tensors: Tensors, manifest: dict[str, Any]) -> int:
    found = outputs(tensors)
    classes = manifest.get("classes") or []
    if found is None and not classes:
        message = "The manifest names no classes, and the file's last layer does not tell how many there are."
        raise Refusal("classes", "needs-classes", message, CLASSES_HINT)
    return found or len(classes)


def _built(architecture: dict[str, Any], count: int) -> torch.nn.Module:
    try:
        return torch_network.build(architecture, count)
    except torch_network.ArchitectureError as error:
        message = f"The architecture of the manifest cannot be built: {' '.join(str(error).split())[:400]}"
        raise Refusal("architecture", "unknown-architecture", message, ARCHITECTURE_HINT) from error


def _materialise(network: torch.nn.Module, given: Mapping[str, Any]) -> None:
    """Layers that take their width from what comes in get it from one empty picture of the manifest's size."""
    lazy = torch.nn.modules.lazy.LazyModuleMixin
    if not any(isinstance(module, lazy) for module in network.modules()):
        return
    sides = [given.get(name) for name in ("height", "width")]
    height, width = (side if type(side) is int and 0 < side <= 4096 else UNKNOWN_SIDE for side in sides)
    try:
        with torch.no_grad():
            network(torch.zeros(1, 3, height, width))
    except RuntimeError as error:
        message = f"The architecture does not fit a picture of {width} by {height} pixels: {str(error)[:300]}"
        hint = "Correct “input.width” and “input.height”, or the layers."
        raise Refusal("architecture", "input-size", message, hint) from error


def _describe(architecture: dict[str, Any]) -> str:
    if architecture["family"] == "layers":
        named = [str(layer.get("name") or layer.get("type")) for layer in architecture["layers"]]
        return f"PyTorch layers: {', '.join(named)}"[:200]
    return f"PyTorch {architecture['family']}: {architecture.get('name')}"


def _native(network: torch.nn.Module) -> Callable[[Floats, Floats | None], Floats]:
    def answer(pictures: Floats, _vector: Floats | None) -> Floats:
        with torch.inference_mode():
            given = torch.from_numpy(np.ascontiguousarray(pictures.transpose(0, 3, 1, 2)))
            return np.asarray(network(given).numpy(), np.float32)

    return answer
