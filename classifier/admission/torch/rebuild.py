"""A PyTorch network rebuilt from an architecture and a state_dict, each tensor in its place."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from classifier.admission.known import architectures, plain_networks
from classifier.admission.known.architectures import Candidate
from classifier.admission.manifest.facts import Facts
from classifier.admission.manifest.infer import CLASSES_HINT, UNKNOWN_SIDE
from classifier.admission.refusal import Refusal, RefusalCode
from classifier.admission.report import Report
from classifier.admission.torch import disambiguate
from classifier.admission.torch.load import Tensors
from classifier.admission.torch.match_weights import match
from classifier.inference.input.manifest import Json, PartialManifest
from classifier.inference.networks import torch_architectures

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

    architecture: Json
    facts: Facts
    arrays: dict[str, NDArray[Any]]
    native: Callable[[Floats, Floats | None], Floats]


@dataclass(frozen=True)
class _Plan:
    """What to build; `names` are None where the tensors' own must do. `size` in pixels, None where any fits."""

    architecture: Json
    outputs: int
    names: Mapping[str, str] | None = None
    size: tuple[int, int] | None = None
    found: str = "as the manifest says"


def rebuild(tensors: Tensors, declared: PartialManifest, report: Report) -> Rebuilt:
    """Build what the manifest or the tensors' names and shapes say, strictly. Raises Refusal."""
    plan = _declared(tensors, declared, report) or _recognised(tensors, declared, report)
    size = plan.size or _size(declared)
    network, arrays, notes = build(plan.architecture, plan.outputs, plan.names, tensors, size)
    for note in notes:
        report.passed("architecture", note)
    report.passed(
        "architecture", f"{plan.found}, 100 % of tensors placed ({len(arrays)}), none missing, none left over"
    )
    side = torch_architectures.fixed_side(network)
    width, height = plan.size or (side, side)
    facts = Facts(
        framework="torch",
        architecture=_describe(plan.architecture),
        outputs=plan.outputs,
        parameters=sum(parameter.numel() for parameter in network.parameters()),
        width=width,
        height=height,
        pretrained_family=plan.architecture["family"] in PRETRAINED,
    )
    return Rebuilt(plan.architecture, facts, {name: array.numpy() for name, array in arrays.items()}, _native(network))


def build(
    architecture: Json,
    outputs: int,
    names: Mapping[str, str] | None,
    tensors: Tensors,
    size: tuple[int, int] | None = None,
) -> tuple[torch.nn.Module, Tensors, list[str]]:
    """Return the filled network, its tensors under its own names, and what was done to place them. Raises Refusal."""
    try:
        network = torch_architectures.build(architecture, outputs)
    except torch_architectures.ArchitectureError as error:
        message = f"The architecture of the manifest cannot be built: {' '.join(str(error).split())[:400]}"
        raise Refusal(RefusalCode.UNKNOWN_ARCHITECTURE, message, ARCHITECTURE_HINT) from error
    _materialise(network, size)
    renamed = tensors if names is None else {names[name]: tensors[name] for name in tensors if name in names}
    placed, notes = match(network.state_dict(), renamed)
    try:
        torch_architectures.fill(network, placed)
    except torch_architectures.ArchitectureError as error:
        message = f"The weights do not fit the architecture: {' '.join(str(error).split())[:400]}"
        raise Refusal(RefusalCode.WEIGHTS_DO_NOT_FIT, message, ARCHITECTURE_HINT) from error
    return network, placed, notes


def _declared(tensors: Tensors, declared: PartialManifest, report: Report) -> _Plan | None:
    """The manifest's own architecture, with the head that the tensors tell where the manifest does not."""
    own = declared.architecture
    if not own:
        return None
    _check_declared(own)
    shapes = _shapes(tensors)
    head = own.get("head") or {}
    found = [] if "layers" in head else architectures.candidates(shapes, own)
    if not found:
        return _Plan(own, _outputs(shapes, declared))
    candidate = found[0]
    _tell(candidate, report, "pool" in head)
    both = {**candidate.architecture.get("head", {}), **head}
    architecture = {**candidate.architecture, **own, **({"head": both} if both else {})}
    return _Plan(architecture, candidate.outputs, candidate.names, found=candidate.found)


def _recognised(tensors: Tensors, declared: PartialManifest, report: Report) -> _Plan:
    shapes = _shapes(tensors)
    size = _size(declared)
    found = architectures.candidates(shapes)
    if found:
        candidate = disambiguate.choose(found, lambda one: _filled(one, tensors), report)
        report.assumed(f"the architecture is {candidate.found}: all names and shapes agree")
    else:
        plain = plain_networks.propose(shapes, size)
        if plain is None:
            raise _unknown(tensors)
        candidate, size = plain.candidate, plain.size
    _tell(candidate, report)
    return _Plan(candidate.architecture, candidate.outputs, candidate.names, None if found else size, candidate.found)


def _filled(candidate: Candidate, tensors: Tensors) -> torch.nn.Module:
    return build(candidate.architecture, candidate.outputs, candidate.names, tensors)[0]


def _tell(candidate: Candidate, report: Report, pool_is_known: bool = False) -> None:
    for assumption in candidate.assumptions:
        if not (pool_is_known and assumption == architectures.AVERAGED):
            report.assumed(assumption)
    for note in candidate.notes:
        report.passed("architecture", note)


def _shapes(tensors: Tensors) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


def _size(declared: PartialManifest) -> tuple[int, int] | None:
    given = declared.input
    return (given.width, given.height) if given and given.width and given.height else None


def _unknown(tensors: Tensors) -> Refusal:
    names = ", ".join(list(tensors)[:5])
    message = f"The weights do not tell their architecture: {len(tensors)} tensors, {names}…"
    return Refusal(RefusalCode.NEEDS_ARCHITECTURE, message, ARCHITECTURE_HINT)


def _check_declared(architecture: Mapping[str, Any]) -> None:
    """A name with a colon or slash would make timm look elsewhere for a configuration."""
    name = architecture.get("name")
    if name is not None and (not isinstance(name, str) or not NAME.fullmatch(name)):
        message = f"The architecture's name {str(name)[:60]!r} is none: letters, digits, dot, - and _ are."
        raise Refusal(RefusalCode.UNKNOWN_ARCHITECTURE, message, ARCHITECTURE_HINT)
    if not isinstance(architecture.get("head") or {}, Mapping):
        message = "The architecture's head is no object with “pool”, “dropout” or “layers”."
        raise Refusal(RefusalCode.UNKNOWN_ARCHITECTURE, message, ARCHITECTURE_HINT)
    layers = architecture.get("layers")
    if isinstance(layers, list) and layers and isinstance(layers[-1], Mapping) and layers[-1].get("type") == "sigmoid":
        message = "The architecture's last layer is a sigmoid; it belongs to the output, not to the layers."
        raise Refusal(RefusalCode.ENDS_WITH_SIGMOID, message, 'Leave it out, and write "output": "sigmoid".')


def _outputs(shapes: Mapping[str, tuple[int, ...]], declared: PartialManifest) -> int:
    found = architectures.outputs(shapes)
    classes = declared.classes or ()
    if found is None and not classes:
        message = "The manifest names no classes, and the file's last layer does not tell how many there are."
        raise Refusal(RefusalCode.NEEDS_CLASSES, message, CLASSES_HINT)
    return found or len(classes)


def _materialise(network: torch.nn.Module, size: tuple[int, int] | None) -> None:
    """Layers that take their width from what comes in get it from one empty picture of (width, height) pixels."""
    lazy = torch.nn.modules.lazy.LazyModuleMixin
    if not any(isinstance(module, lazy) for module in network.modules()):
        return
    side = torch_architectures.fixed_side(network) or UNKNOWN_SIDE
    width, height = size or (side, side)
    try:
        with torch.no_grad():
            network(torch.zeros(1, 3, height, width))
    except RuntimeError as error:
        message = f"The architecture does not fit a picture of {width} by {height} pixels: {str(error)[:300]}"
        hint = "Correct “input.width” and “input.height”, or the layers."
        raise Refusal(RefusalCode.INPUT_SIZE, message, hint, check="architecture") from error


def _describe(architecture: Json) -> str:
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
