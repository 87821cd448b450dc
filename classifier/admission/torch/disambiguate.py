"""Which of several networks with the same names and shapes a file is: those that answer alike are one."""

from collections.abc import Callable, Sequence
from typing import Any

import torch

from classifier.admission.known import architectures
from classifier.admission.known.architectures import Candidate
from classifier.admission.refusal import Refusal, RefusalCode
from classifier.admission.report import Report
from classifier.inference.networks import torch_architectures

MOST = 12
SIDE = 96
TOLERANCE = 1e-4
HINT = (
    "Choose one: give its “architecture” in the manifest and check the file again, without a second upload. The "
    "setting check compares them on labelled pictures."
)


def choose(found: Sequence[Candidate], filled: Callable[[Candidate], torch.nn.Module], report: Report) -> Candidate:
    """Return the one that all candidates answer like, or the plain form of a usual library. Raises Refusal.

    `filled` returns a candidate's network with the file's numbers.
    """
    kinds = list({candidate.kind: candidate for candidate in reversed(found)}.values())[::-1]
    kinds.sort(key=lambda candidate: candidate.rank)
    if len(kinds) == 1:
        return kinds[0]
    if architectures.conventional(kinds):
        own = kinds[0].architecture["name"]
        others = [candidate.architecture["name"] for candidate in kinds[1:] if candidate.architecture["name"] != own]
        if others:
            report.assumed(f"it is the plain {own}; names and shapes also fit {', '.join(others)}")
        return kinds[0]
    first = filled(kinds[0])
    side = torch_architectures.fixed_side(first) or SIDE
    looked_at = [_look(first, side), *(_look(filled(candidate), side) for candidate in kinds[1:MOST])]
    groups = _alike([answer for answer, _traits in looked_at])
    if len(groups) == 1:
        report.passed("architecture", f"{len(kinds)} networks fit and answer alike: they count as one")
        return kinds[0]
    raise _doubt([kinds[group[0]] for group in groups], [looked_at[group[0]][1] for group in groups])


def _look(network: torch.nn.Module, side: int) -> tuple[torch.Tensor, dict[str, str]]:
    """What a network answers and how it is made; the network itself may go then: a dozen take too much memory."""
    try:
        return _answers(network, side), _traits(network)
    except (RuntimeError, AssertionError):  # it takes pictures of another size only
        return _answers(network, torch_architectures.fixed_side(network) or SIDE), _traits(network)


def _answers(network: torch.nn.Module, side: int) -> torch.Tensor:
    pictures = torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        return torch.as_tensor(network(pictures)).double()


def _alike(answers: Sequence[torch.Tensor]) -> list[list[int]]:
    """Group the places of equal answers, relative to their size."""
    groups: list[list[int]] = []
    for place, answer in enumerate(answers):
        for group in groups:
            other = answers[group[0]]
            if float((answer - other).abs().max()) <= TOLERANCE * float(other.abs().max()):
                group.append(place)
                break
        else:
            groups.append([place])
    return groups


def _doubt(candidates: Sequence[Candidate], traits: Sequence[dict[str, str]]) -> Refusal:
    names = ", ".join(f"{one.architecture['name']} ({one.architecture['family']})" for one in candidates)
    offered = tuple(
        {"architecture": candidate.architecture, "differs": _differs(own, traits)}
        for candidate, own in zip(candidates, traits, strict=True)
    )
    message = f"The weights fit {len(candidates)} networks that answer differently: {names}."
    return Refusal(RefusalCode.NEEDS_CHOICE, message, HINT, offered)


def _traits(network: torch.nn.Module) -> dict[str, str]:
    """What names and shapes do not show: the kinds of layers without tensors, paddings, epsilons."""
    kinds: dict[str, set[str]] = {"layers": set(), "epsilon of normalisation": set(), "padding of convolutions": set()}
    for module in network.modules():
        name = type(module).__name__
        kinds["layers"].add(name)
        if hasattr(module, "eps"):
            kinds["epsilon of normalisation"].add(f"{module.eps:g}")
        if isinstance(module, torch.nn.Conv2d):
            same = "as TensorFlow's “same”" if "Same" in name else "even on all sides"
            kinds["padding of convolutions"].add(same)
    return {trait: ", ".join(sorted(values)) for trait, values in kinds.items()}


def _differs(own: dict[str, str], all_traits: Sequence[dict[str, Any]]) -> str:
    """The traits in which not all candidates agree, as a sentence."""
    shared = set.intersection(*({*traits["layers"].split(", ")} for traits in all_traits))
    special = [name for name in own["layers"].split(", ") if name not in shared]
    parts = [
        f"{trait}: {value}"
        for trait, value in own.items()
        if trait != "layers" and len({traits[trait] for traits in all_traits}) > 1
    ]
    parts += [f"layers of its own: {', '.join(special)}"] if special else []
    return "; ".join(parts) or "no layer of its own: the order or the settings of its layers"
