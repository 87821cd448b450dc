"""Which architectures a state_dict may have been saved from, told by the names and shapes of its tensors."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from classifier.admission.known import fingerprints, heads
from classifier.admission.known.fingerprints import Cut, Known

Shapes = dict[str, tuple[int, ...]]
PREFIX_DEPTH = 4
LAYOUTS = {
    "torchvision": "torchvision",
    "timm": "timm",
    "smp-encoder": "segmentation-models-pytorch",
    "efficientnet-pytorch": "efficientnet_pytorch",
}
CONVENTIONAL = ("torchvision", "efficientnet-pytorch", "smp-encoder")
MASKS = ("decoder.", "segmentation_head.")
LAYER_WORD = re.compile(r"[\w.-]{1,100}", re.ASCII)
MOST_LAYERS = 500
MOST_TENSORS = 10_000  # twice as many as any network of the table has
AVERAGED = "the head takes the average of each channel of the encoder's deepest features"
LAYER_FIELDS = {"name", "out", "kernel", "stride", "padding", "dilation", "groups", "bias", "p", "size", "eps", "slope"}


@dataclass(frozen=True)
class Candidate:
    """An architecture as the manifest would say it, and the name in its network for each tensor of the file.

    `kind` is the same for candidates that answer alike.
    """

    architecture: dict[str, Any]
    names: Mapping[str, str]
    outputs: int
    found: str
    kind: tuple[str, int] = ("", 0)
    rank: tuple[int, bool, int, str] = (0, False, 0, "")
    assumptions: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def candidates(shapes: Shapes, declared: Mapping[str, Any] | None = None) -> list[Candidate]:
    """Return the known networks with this body, the most usual first; only the declared one where there is one."""
    found: list[Candidate] = []
    if len(shapes) > MOST_TENSORS:
        return found
    for prefix in _prefixes(shapes):
        inside = {name.removeprefix(prefix): shape for name, shape in shapes.items() if name.startswith(prefix)}
        for taken_off in _cuts():
            for known, cut in _index().get((taken_off, fingerprints.body(inside, taken_off)), ()):
                if declared is None or all(declared.get(key) == known.architecture[key] for key in ("family", "name")):
                    fitting = _candidate(known, cut, prefix, taken_off, shapes)
                    found += [fitting] if fitting else []
        if found:
            break
    single: dict[tuple[str, str], Candidate] = {}
    for candidate in sorted(found, key=lambda one: one.rank):
        single.setdefault((candidate.architecture["family"], candidate.architecture["name"]), candidate)
    return list(single.values())


def conventional(found: Sequence[Candidate]) -> bool:
    """Whether the first is the plain form of its family: variants without tensors of their own are then rare."""
    return bool(found) and found[0].architecture["family"] in CONVENTIONAL


def may_be_proposed(architecture: Mapping[str, Any] | None) -> bool:
    """Whether an honest child could have proposed this: nothing else may come back from a child unasked."""
    if architecture is None:
        return True
    rest = dict(architecture)
    head = rest.pop("head", {})
    if not _plain_head(head) or head.get("pool", "avg") != "avg":
        return False
    if rest.get("family") == "layers":
        return set(rest) == {"family", "layers"} and _plain_layers(rest["layers"])
    return any(rest == known.architecture and _has_cut(known, head.get("at")) for known in fingerprints.table())


def completes(declared: Mapping[str, Any], architecture: Any) -> bool:
    """Whether an honest child could have made this of the declared one: all of it is kept, and a head added."""
    if not isinstance(architecture, Mapping):
        return False
    rest, own = dict(architecture), dict(declared)
    head, own_head = rest.pop("head", None) or {}, own.pop("head", None) or {}
    if "aux_logits" not in own and rest.get("aux_logits") is False:
        del rest["aux_logits"]
    if rest != own or not isinstance(head, Mapping) or not isinstance(own_head, Mapping):
        return False
    added = {key: value for key, value in head.items() if key not in own_head}
    return all(head.get(key) == value for key, value in own_head.items()) and _plain_head(added)


def outputs(shapes: Mapping[str, Sequence[int]]) -> int | None:
    """The rows of the last matrix in the file: by custom the last layer's outputs."""
    matrices = [shape[0] for name, shape in shapes.items() if name.endswith("weight") and len(shape) == 2]
    return int(matrices[-1]) if matrices else None


def _prefixes(shapes: Shapes) -> Iterator[str]:
    """Yield the beginnings that at least half of the names share, from none to the longest."""
    counts: dict[str, int] = {}
    for name in shapes:
        parts = name.split(".")[:-1]
        for depth in range(min(PREFIX_DEPTH, len(parts)) + 1):
            prefix = "".join(f"{part}." for part in parts[:depth])
            counts[prefix] = counts.get(prefix, 0) + 1
    yield from sorted((prefix for prefix, count in counts.items() if 2 * count >= len(shapes)), key=len)


@cache
def _index() -> Mapping[tuple[tuple[str, ...], str], list[tuple[Known, Cut]]]:
    index: dict[tuple[tuple[str, ...], str], list[tuple[Known, Cut]]] = {}
    for known in fingerprints.table():
        for number, cut in enumerate(known.cuts):
            taken_off = known.heads if number == 0 else (cut.at,)
            index.setdefault((taken_off, cut.body), []).append((known, cut))
    return index


@cache
def _cuts() -> tuple[tuple[str, ...], ...]:
    return tuple(sorted({taken_off for taken_off, _body in _index()}))


def _candidate(known: Known, cut: Cut, prefix: str, taken_off: tuple[str, ...], shapes: Shapes) -> Candidate | None:
    """Give every tensor its place: the body's under their own names, the rest in the network's head or in a new one."""
    is_encoder = known.architecture["family"] == "smp-encoder"
    within = tuple(f"{prefix}{at}." for at in taken_off)
    body = {name for name in shapes if name.startswith(prefix) and not name.startswith(within)}
    masks = tuple(name for name in shapes if is_encoder and name not in body and name.startswith(MASKS))
    rest = {name: shape for name, shape in shapes.items() if name not in body and name not in masks}
    ours = "encoder." if is_encoder else ""
    places = {name: ours + name.removeprefix(prefix) for name in shapes if name in body}
    fit = _own_head(known, prefix, rest) or _other_head(known, cut, rest)
    if fit is None:
        return None
    return Candidate(
        architecture=dict(known.architecture) | ({"head": fit.options} if fit.options else {}),
        names={**places, **fit.places},
        outputs=fit.widths[-1],
        found=f"{known.architecture['name']}, {LAYOUTS[known.architecture['family']]} layout, "
        f"head {'→'.join(map(str, fit.widths))}",
        kind=(cut.body, cut.kind),
        rank=_rank(known, prefix, bool(fit.options)),
        assumptions=(*fit.assumptions, *([AVERAGED] if is_encoder else [])),
        notes=(*fit.notes, *([f"{len(masks)} tensors of a decoder make masks, and are left out"] if masks else [])),
    )


@dataclass(frozen=True)
class _Fit:
    """Where the head's tensors go; `options` describe a head that the library does not have."""

    places: Mapping[str, str]
    widths: tuple[int, ...]
    options: Mapping[str, Any] = field(default_factory=dict)
    assumptions: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def _own_head(known: Known, prefix: str, rest: Shapes) -> _Fit | None:
    """The head has the library's own names."""
    modules = {name.rpartition(".")[0] for name in rest}
    if not known.heads or modules != {f"{prefix}{head}" for head in known.heads}:
        return None
    weights = [shape for name, shape in rest.items() if len(shape) > 1]
    if not weights or "bias" not in {name.rpartition(".")[2] for name in rest}:
        return None
    return _Fit({name: name.removeprefix(prefix) for name in rest}, (weights[-1][1], weights[-1][0]))


def _other_head(known: Known, cut: Cut, rest: Shapes) -> _Fit | None:
    """One linear layer under another name is the library's own; more of them replace it."""
    head = heads.read(rest, cut.features) if cut.features else None
    if head is None:
        return None
    own = known.heads[0] if known.heads else "head.3"
    if head.is_one_linear and cut.at in ("", own):
        given = next(iter(rest)).rpartition(".")[0]
        notes = (f"the layer “{given}” of the file is the network's “{own}”",) if given != own else ()
        return _Fit({name: f"{own}.{name.rpartition('.')[2]}" for name in rest}, head.widths, notes=notes)
    at = cut.at or "head"
    places = {name: f"{at}.{place}" for name, place in head.places.items()}
    options = {"layers": list(head.layers)} | ({"at": at} if known.heads else {"pool": "avg"})
    return _Fit(places, head.widths, options, head.assumptions)


def _rank(known: Known, prefix: str, has_new_head: bool) -> tuple[int, bool, int, str]:
    """The most usual library first, then its own head and its shortest name; after `encoder.` that is smp."""
    family, name = known.architecture["family"], known.architecture["name"]
    order = ["torchvision", "efficientnet-pytorch", "smp-encoder", "timm"]
    place = -1 if family == "smp-encoder" and prefix.endswith("encoder.") else order.index(family)
    return place, has_new_head, len(name), name


def _plain_head(head: Any) -> bool:
    if not isinstance(head, Mapping) or set(head) - {"at", "pool", "layers"}:
        return False
    words = [head.get("at", ""), head.get("pool", "")]
    return all(isinstance(word, str) and len(word) <= 100 for word in words) and _plain_layers(head.get("layers", []))


def _plain_layers(layers: Any) -> bool:
    """Whether a list of layers holds only short words and numbers."""
    return isinstance(layers, list) and len(layers) <= MOST_LAYERS and all(_plain_layer(layer) for layer in layers)


def _plain_layer(layer: Any) -> bool:
    if not isinstance(layer, Mapping) or set(layer) - LAYER_FIELDS - {"type"}:
        return False
    numbers = [value for field, value in layer.items() if field not in ("type", "name")]
    words = [layer.get("type"), layer.get("name", "x")]
    return all(isinstance(word, str) and LAYER_WORD.fullmatch(word) for word in words) and all(
        type(number) in (bool, int, float) and 0 <= number <= 10**6 for number in numbers
    )


def _has_cut(known: Known, at: Any) -> bool:
    return at is None or at in [cut.at for cut in known.cuts if cut.features]
