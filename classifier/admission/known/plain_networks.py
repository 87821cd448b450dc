"""The list of layers of a plain network of convolutions and linear layers, read from the shapes of its tensors.

What no tensor tells follows the contract's conventions: ReLU after each convolution and hidden linear layer, 2×2 max
pooling, padding (k−1)/2, stride 1, no dropout. In a numbered sequence the gaps tell where layers without tensors stand.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isqrt
from typing import Any

from classifier.admission.known import heads
from classifier.admission.known.architectures import Candidate

Shapes = Mapping[str, tuple[int, ...]]
Size = tuple[int, int]
COLOURS = 3
MOST_LAYERS = 60
LARGEST_SIDE = 1024
PARTS = {"weight", "bias", "running_mean", "running_var", "num_batches_tracked"}


@dataclass(frozen=True)
class Plain:
    """A candidate and the size of its pictures, (width, height) in pixels, None where any fits."""

    candidate: Candidate
    size: Size | None


@dataclass(frozen=True)
class _Convolution:
    """A convolution with its batch normalisation; what follows it without tensors is in `relu` and `pool`."""

    name: str
    shape: tuple[int, ...]
    groups: int
    has_bias: bool
    norm: str
    norm_last: bool
    relu: bool
    pool: bool
    numbered: bool

    @property
    def kernel(self) -> int:
        return self.shape[2]


def propose(shapes: Shapes, size: Size | None) -> Plain | None:
    """Return the plain network of these shapes for pictures of `size`, where that was given; None for none."""
    modules = heads.modules(shapes)
    body = _body(modules)
    if not body or len(modules) > MOST_LAYERS:
        return None
    used = {name for one in body for name in (one.name, one.norm)}
    rest = {name: shape for name, shape in shapes.items() if name.rpartition(".")[0] not in used}
    features = next((shape[1] for shape in rest.values() if len(shape) == 2), 0)
    head = heads.read(rest, features)
    channels = body[-1].shape[0]
    if head is None or features % channels:
        return None
    solved = _solve(body, features // channels, size)
    if solved is None:
        return None
    layers = [*_body_layers(solved), *([{"type": "adaptiveavgpool2d"}] if solved.averaged else []), {"type": "flatten"}]
    labels = {place.rpartition(".")[0]: name.rpartition(".")[0] for name, place in head.places.items()}
    layers += [layer | ({"name": labels[layer["name"]]} if "name" in layer else {}) for layer in head.layers]
    candidate = Candidate(
        architecture={"family": "layers", "layers": layers},
        names={name: name for name in shapes},
        outputs=head.outputs,
        found=f"a plain network of {len(body)} convolutions, head {'→'.join(map(str, head.widths))}",
        assumptions=(*_assumptions(solved, features, channels, size), *head.assumptions),
    )
    return Plain(candidate, solved.size)


def _body(modules: Mapping[str, Mapping[str, tuple[int, ...]]]) -> list[_Convolution]:
    """The convolutions in their order, each with the batch normalisation behind it; empty where it is no chain."""
    names = list(modules)
    convolutions = [name for name in names if len(modules[name].get("weight", ())) == 4]
    first_linear = next((n for n, name in enumerate(names) if len(modules[name].get("weight", ())) == 2), len(names))
    norms = [name for name in names[:first_linear] if "running_mean" in modules[name]]
    numbers = heads.numbers([name for name in names if name in convolutions or name in norms])
    place = dict(zip([name for name in names if name in convolutions or name in norms], numbers, strict=False))
    body: list[_Convolution] = []
    width = COLOURS
    for position, name in enumerate(convolutions):
        shape = modules[name]["weight"]
        if set(modules[name]) - PARTS or shape[2] != shape[3] or not _fits(shape, width):
            return []
        norm = _norm_of(name, position, convolutions, norms, names)
        if norm and modules[norm].get("weight") != shape[:1]:
            return []
        following = convolutions[position + 1] if position + 1 < len(convolutions) else ""
        free = place[following] - place[name] - 1 - bool(norm) if place and following else None
        body.append(
            _Convolution(
                name=name,
                shape=shape,
                groups=width // shape[1],
                has_bias="bias" in modules[name],
                norm=norm,
                norm_last=bool(place and norm) and place[norm] > place[name] + 1,
                relu=free is None or free >= 1,
                pool=free is None or free >= 2,
                numbered=free is not None,
            )
        )
        width = shape[0]
    whole = sum(bool(one.norm) for one in body) == len(norms)
    return body if whole else []


def _fits(shape: tuple[int, ...], width: int) -> bool:
    """Whether a convolution takes `width` channels: all of them together, or each for itself (not the colours)."""
    each = shape[1] == 1 and width != COLOURS and shape[0] % width == 0
    return shape[1] == width or each


def _norm_of(name: str, position: int, convolutions: list[str], norms: list[str], names: list[str]) -> str:
    """The one right behind, or the one with the same number where all norms were written after all convolutions."""
    behind = names[names.index(name) + 1 : names.index(name) + 2]
    if behind and behind[0] in norms and not (len(norms) > 1 and behind[0] == norms[0] and name == convolutions[-1]):
        return behind[0]
    apart = norms and names.index(norms[0]) > names.index(convolutions[-1]) and len(norms) == len(convolutions)
    return norms[position] if apart else ""


@dataclass(frozen=True)
class _Solved:
    """A body whose last features have the right size; `averaged`: each channel is averaged to one number."""

    body: tuple[_Convolution, ...]
    padded: bool
    averaged: bool
    size: Size | None


def _solve(body: list[_Convolution], area: int, size: Size | None) -> _Solved | None:
    for pools in _poolings(body, size):
        pooled = tuple(_Convolution(**{**vars(one), "pool": pool}) for one, pool in zip(body, pools, strict=True))
        for padded in (True, False):
            if size and _after(pooled, padded, size) and area == _area(_after(pooled, padded, size)):
                return _Solved(pooled, padded, False, size)
            side = isqrt(area)
            if size is None and area > 1 and side * side == area:
                fitting = [n for n in range(side, LARGEST_SIDE) if _after(pooled, padded, (n, n)) == (side, side)]
                if fitting:
                    return _Solved(pooled, padded, False, (fitting[0], fitting[0]))
    return _Solved(tuple(body), True, True, size) if area == 1 else None


def _poolings(body: list[_Convolution], size: Size | None) -> Iterator[tuple[bool, ...]]:
    """The convention first: as the numbers in the names say, else after each; with a known size also fewer of them."""
    usual = tuple(one.pool for one in body)
    yield usual
    if size is None:
        return
    if not any(one.numbered for one in body):
        for every in (step for step in range(2, len(body) + 1) if len(body) % step == 0):
            yield tuple((number + 1) % every == 0 for number in range(len(body)))
    yield (*usual[:-1], False)
    yield (False,) * len(body)


def _after(body: tuple[_Convolution, ...], padded: bool, size: Size) -> Size:
    """The size of the last features; (0, 0) where a picture is too small."""
    width, height = size
    for one in body:
        shrink = one.kernel - 1 - (2 * ((one.kernel - 1) // 2) if padded else 0)
        width, height = width - shrink, height - shrink
        if one.pool:
            width, height = width // 2, height // 2
        if min(width, height) < 1:
            return 0, 0
    return width, height


def _area(size: Size) -> int:
    return size[0] * size[1]


def _body_layers(solved: _Solved) -> Iterator[dict[str, Any]]:
    for one in solved.body:
        layer: dict[str, Any] = {"type": "conv2d", "name": one.name, "out": one.shape[0], "kernel": one.kernel}
        layer["padding"] = (one.kernel - 1) // 2 if solved.padded else 0
        if one.groups > 1:
            layer["groups"] = one.groups
        if not one.has_bias:
            layer["bias"] = False
        yield layer
        norm = [{"type": "batchnorm2d", "name": one.norm}] if one.norm else []
        relu = [{"type": "relu"}] if one.relu else []
        yield from relu + norm if one.norm_last else norm + relu
        if one.pool:
            yield {"type": "maxpool2d", "kernel": 2}


def _assumptions(solved: _Solved, features: int, channels: int, given: Size | None) -> Iterator[str]:
    body = solved.body
    pooled = [one.name for one in body if one.pool]
    active = [one.name for one in body if one.relu]
    yield f"ReLU after {'each convolution' if len(active) == len(body) else _names(active)}"
    if not solved.averaged or pooled:
        where = "each convolution" if len(pooled) == len(body) else _names(pooled)
        yield f"2×2 max pooling after {where}" if pooled else "no pooling"
    yield "convolutions are padded by (k−1)/2" if solved.padded else "convolutions are not padded"
    if solved.averaged:
        yield f"the {channels} channels are averaged to {features} numbers"
    elif solved.size and not given:
        yield (
            f"pictures are {solved.size[0]} by {solved.size[1]} pixels: {features} features are {channels} channels "
            f"of {isqrt(features // channels)} by {isqrt(features // channels)}"
        )


def _names(names: list[str]) -> str:
    return ", ".join(names) or "none"
