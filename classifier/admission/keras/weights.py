"""The weights of a Keras file, put into the rebuilt model one by one, by the names that the file gives them.

Keras itself goes by order, which differs with what was frozen: two normalisation layers would change places unseen.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from classifier.admission.keras.stored_weights import Stored, refusal
from classifier.admission.refusal import RefusalCode

if TYPE_CHECKING:
    import keras

COUNTERS = ("count",)
SHOWN = 6
NUMBERED = re.compile(r"(.+?)(?:_(\d+))?")


@dataclass(frozen=True)
class Owner:
    """A layer of the model that has weights and is no model; `top` is the outermost layer that it stands in.

    `place` is the group that Keras 3 would give it in a file.
    """

    top: str
    layer: "keras.layers.Layer"
    place: str


def match(stored: list[Stored], model: "keras.Model") -> str:
    """Give every weight of the model its array, and say how they were matched. Raises Refusal unless all fit."""
    owners = list(_owners(model))
    how, matched = "name", _by_name(stored, owners) or _by_rank(stored, owners)
    if matched is None and any(array.place for array in stored):
        how, matched = "class and number", _by_place(stored, owners)
    elif matched is None:
        how, matched = "order and shape", _by_order(stored, owners)
    if matched is None:
        raise refusal(RefusalCode.WEIGHTS_DIFFER, _difference(stored, owners))
    values: list[tuple[Any, Stored]] = []
    for owner, arrays in zip(owners, matched, strict=True):
        pairs = _pairs(owner.layer, arrays)
        if pairs is None:
            raise refusal(RefusalCode.WEIGHTS_DIFFER, _layer_difference(owner.layer, arrays))
        values.extend(pairs)
    for variable, array in values:
        variable.assign(array.data[()])
    for owner in owners:
        if hasattr(owner.layer, "finalize_state"):
            owner.layer.finalize_state()
    return f"{len(values)} arrays placed by {how}, none left over"


def _owners(model: "keras.Model") -> Iterator[Owner]:
    for layer, place_ in _placed(model.layers, ""):
        yield from _owners_in(layer, layer.name, place_)


def _owners_in(layer: "keras.layers.Layer", top: str, place_: str) -> Iterator[Owner]:
    inner = getattr(layer, "layers", None)
    if isinstance(inner, list):
        for child, inside in _placed(inner, f"{place_}/"):
            yield from _owners_in(child, top, inside)
    elif layer.weights:
        yield Owner(top, layer, place_)


def _placed(layers: "list[keras.layers.Layer]", before: str) -> "Iterator[tuple[keras.layers.Layer, str]]":
    """Yield each layer with its group in a file of Keras 3: its class, and the number among those of that class."""
    from keras.src.utils.naming import to_snake_case

    seen: Counter[str] = Counter()
    for layer in layers:
        kind = to_snake_case(type(layer).__name__)
        yield layer, f"{before}layers/{kind}{f'_{seen[kind]}' if seen[kind] else ''}"
        seen[kind] += 1


def _by_name(stored: list[Stored], owners: list[Owner]) -> list[list[Stored]] | None:
    """Return each owner's arrays, or None unless every array names one owner and every owner is named."""
    places: dict[tuple[str, str], int] = {}
    for place_, owner in enumerate(owners):
        if (owner.top, owner.layer.name) in places:
            return None
        places[owner.top, owner.layer.name] = place_
    tops = {owner.top for owner in owners}
    flat = not {array.top for array in stored} <= tops
    if flat:
        places = {("", owner.layer.name): place_ for place_, owner in enumerate(owners)}
        if len(places) < len(owners):
            return None
    matched: list[list[Stored]] = [[] for _owner in owners]
    for array in stored:
        found = _named_owner(array, places, flat=flat)
        if found is None:
            return None
        matched[found].append(array)
    fits = all(_pairs(owner.layer, arrays) is not None for owner, arrays in zip(owners, matched, strict=True))
    return matched if fits else None


def _named_owner(array: Stored, places: dict[tuple[str, str], int], *, flat: bool) -> int | None:
    """The group is a layer itself; or the longest part of the weight's path that names one."""
    top = "" if flat else array.top
    if (top, array.top) in places:
        return places[top, array.top]
    for length in range(len(array.path), 0, -1):
        for start in range(len(array.path) - length + 1):
            name = "_".join(array.path[start : start + length])
            if (top, name) in places:
                return places[top, name]
    return None


def _by_rank(stored: list[Stored], owners: list[Owner]) -> list[list[Stored]] | None:
    """The same for names that Keras numbered: `dense_4` is its session's fifth, and here perhaps the only one.

    A layer of `Conv/BatchNorm` in Keras 2 is `conv_bn` in Keras 3's applications.
    """
    blocks = _blocks(stored)
    model = _ranks([owner.layer.name for owner in owners])
    last = [block[0].path[-1] if block[0].path else block[0].top for block in blocks]
    whole = ["_".join(block[0].path) or block[0].top for block in blocks]
    for names in (last, whole):
        ranked = dict(zip(_ranks(names), blocks, strict=True))
        if len(ranked) < len(blocks) or set(ranked) != set(model):
            continue
        matched = [ranked[rank] for rank in model]
        if all(_pairs(owner.layer, arrays) is not None for owner, arrays in zip(owners, matched, strict=True)):
            return matched
    return None


def _ranks(names: list[str]) -> list[tuple[str, int]]:
    """Return each name's kind, and its place among the numbers of that kind."""
    names = [name.replace("BatchNorm", "bn").lower() for name in names]
    split = [NUMBERED.fullmatch(name) for name in names]
    parts = [(found[1], int(found[2] or 0)) if found else (name, 0) for name, found in zip(names, split, strict=True)]
    return [(kind, sorted(other for name, other in parts if name == kind).index(number)) for kind, number in parts]


def _by_place(stored: list[Stored], owners: list[Owner]) -> list[list[Stored]] | None:
    """The same where a file of Keras 3 has other names: by each layer's class, and its number among those."""
    matched: dict[str, list[Stored]] = {owner.place: [] for owner in owners}
    for array in stored:
        if array.place not in matched:
            return None
        matched[array.place].append(array)
    fits = all(_pairs(owner.layer, matched[owner.place]) is not None for owner in owners)
    return [matched[owner.place] for owner in owners] if fits else None


def _by_order(stored: list[Stored], owners: list[Owner]) -> list[list[Stored]] | None:
    """The same by order: Keras 2 wrote layer after layer, those that were trained before those that were frozen."""
    blocks = _blocks(stored)
    trained = [owner for owner in owners if owner.layer.trainable_weights]
    frozen = [owner for owner in owners if not owner.layer.trainable_weights]
    for order in (owners, trained + frozen):
        if len(order) != len(blocks):
            return None
        if all(_pairs(owner.layer, block, strict=True) is not None for owner, block in zip(order, blocks, strict=True)):
            found = {id(owner): block for owner, block in zip(order, blocks, strict=True)}
            return [found[id(owner)] for owner in owners]
    return None


def _blocks(stored: list[Stored]) -> list[list[Stored]]:
    """Gather what stands under one path of one top layer, in the order of first appearance."""
    blocks: dict[tuple[str, tuple[str, ...]], list[Stored]] = {}
    for array in stored:
        blocks.setdefault((array.top, array.path), []).append(array)
    return list(blocks.values())


def _pairs(
    layer: "keras.layers.Layer", arrays: list[Stored], *, strict: bool = False
) -> list[tuple[Any, Stored]] | None:
    """Match a layer's weights with arrays, by name where all agree (`strict`: they must), else by order."""
    variables = list(layer.weights)
    arrays = _without_counters(arrays, len(variables))
    names = {array.name: array for array in arrays}
    if len(variables) != len(arrays):
        return None
    if len(names) == len(arrays) and set(names) == {variable.name for variable in variables}:
        pairs = [(variable, names[variable.name]) for variable in variables]
    elif strict and len(variables) > 1:
        return None
    else:
        pairs = list(zip(layer.trainable_weights + layer.non_trainable_weights, arrays, strict=True))
    return pairs if all(tuple(variable.shape) == array.shape for variable, array in pairs) else None


def _without_counters(arrays: list[Stored], wanted: int) -> list[Stored]:
    """Keras 2's Normalization counts what it has seen; the model does without."""
    if len(arrays) <= wanted:
        return arrays
    return [array for array in arrays if array.name not in COUNTERS]


def _difference(stored: list[Stored], owners: list[Owner]) -> str:
    """Say which layers only one of both has, as far as their names tell."""
    file = ["_".join(block[0].path) or block[0].top for block in _blocks(stored)]
    model = [owner.layer.name for owner in owners]
    counts = f"The model has {len(model)} layers with weights, the file weights of {len(file)}"
    ranks = _ranks(file), _ranks(model)
    extra = [name for name, rank in zip(file, ranks[0], strict=True) if rank not in ranks[1]]
    missing = [name for name, rank in zip(model, ranks[1], strict=True) if rank not in ranks[0]]
    if not extra and not missing:
        return f"{counts}; their shapes differ."
    return f"{counts}; only in the file: {_few(extra) or 'none'}; only in the model: {_few(missing) or 'none'}."


def _layer_difference(layer: "keras.layers.Layer", arrays: list[Stored]) -> str:
    ours = ", ".join(f"{variable.name} {tuple(variable.shape)}" for variable in layer.weights)
    theirs = ", ".join(f"{array.name} {array.shape}" for array in arrays)
    return f"The layer “{layer.name}” takes {ours or 'nothing'}, and the file has {theirs or 'nothing'}."


def _few(names: list[str]) -> str:
    return ", ".join(names[:SHOWN]) + (" …" if len(names) > SHOWN else "")
