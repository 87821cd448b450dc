"""The state_dict in what a checkpoint holds: bare, under a usual name, or the only one that there is."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from classifier.admission.refusal import Refusal, RefusalCode
from classifier.admission.torch.pickle_reader import UnresolvedGlobal
from classifier.admission.torch.tensors import Described, UnsupportedTensor, describe

WRAPPERS = (
    *("state_dict", "model_state_dict", "model_state", "model", "net", "network", "net_state_dict", "weights"),
    *("params", "ema", "model_ema", "state_dict_ema", "ema_state_dict", "module"),
)
NO_NETWORK = re.compile(
    r"optim|sched|scaler|amp|loss|criterion|metric|callback|loop|hyper|args|config|rng", re.IGNORECASE
)
BALLAST = re.compile(r"(^|\.)(total_ops|total_params)$|^(\w+\.)?(criterion|loss|loss_fn|loss_func|loss_function)\.")
LEVELS = 4
LISTED = 10
HINT = "Save only the weights, torch.save(model.state_dict(), 'model.pth'), and upload that with its architecture."


@dataclass(frozen=True)
class Found:
    """The tensors of one state_dict, described and not yet made, and a sentence for each thing done to find them."""

    tensors: dict[str, Described]
    notes: tuple[str, ...]


def find(value: Any) -> Found:
    """Find the one state_dict in an inert value. Raises Refusal where there is none, or no saying which."""
    notes: list[str] = []
    known: dict[int, bool] = {}
    for _level in range(LEVELS):
        content = _mapping(value)
        key = _inside(content, notes, known)
        if key is None:
            if _is_state_dict(content):
                return _plain(content, notes)
            break
        value = content[key]
    raise _nothing(value)


def is_ballast(name: str) -> bool:
    """Whether a tensor is none of the network's: a loss's class weights, the counts that a profiler leaves."""
    return bool(BALLAST.search(name))


def _mapping(value: Any) -> dict[Any, Any]:
    """A dict, or a stub of one: OrderedDict and what is like it."""
    if isinstance(value, dict):
        return value
    if isinstance(value, UnresolvedGlobal):
        pairs = value.arguments[0] if value.arguments and isinstance(value.arguments[0], list) else []
        given = {
            pair[0]: pair[1]
            for pair in pairs
            if isinstance(pair, list | tuple) and len(pair) == 2 and isinstance(pair[0], str)
        }
        return given | value.items
    return {}


def _tensors(content: Mapping[Any, Any]) -> dict[str, Described | UnsupportedTensor]:
    described = {name: describe(entry) for name, entry in content.items() if isinstance(name, str)}
    return {name: entry for name, entry in described.items() if entry is not None}


def _is_state_dict(content: Mapping[Any, Any]) -> bool:
    """Most entries are tensors: a loss beside the number of its epoch is none."""
    return 2 * len(_tensors(content)) > len(content)


def _plain(content: Mapping[Any, Any], notes: list[str]) -> Found:
    tensors = _tensors(content)
    plain: dict[str, Described] = {}
    left = [str(name)[:60] for name in content if name not in tensors]
    for name, tensor in tensors.items():
        if is_ballast(name):
            left.append(name)
        elif isinstance(tensor, UnsupportedTensor):
            message = f"The tensor {name[:100]} is {tensor.what}: not plain numbers."
            raise Refusal(RefusalCode.NOT_NUMBERS, message, HINT)
        else:
            plain[name] = tensor
    if left:
        shown = ", ".join(left[:LISTED]) + (f" and {len(left) - LISTED} more" if len(left) > LISTED else "")
        notes = [*notes, f"no part of the network, and left aside: {shown}"]
    return Found(plain, tuple(notes))


def _inside(content: Mapping[Any, Any], notes: list[str], known: dict[int, bool]) -> str | None:
    """The key under which to look on: a usual one, else the only one that holds tensors."""
    holding = [key for key, entry in content.items() if isinstance(key, str) and _holds_tensors(entry, known)]
    usual = [key for key in WRAPPERS if key in holding]
    others = [key for key in holding if key not in usual and not NO_NETWORK.search(key)]
    if not usual and len(others) > 1:
        message = f"The file holds several networks: {', '.join(others[:LISTED])}."
        hint = f"Save the one that classifies: torch.save(checkpoint[{others[0]!r}], 'model.pth')."
        raise Refusal(RefusalCode.SEVERAL_STATE_DICTS, message, hint)
    chosen = [*usual, *others]
    if not chosen:
        return None
    rest = f" (the file also has {', '.join(chosen[1:LISTED])})" if chosen[1:] else ""
    notes.append(f"the weights are those under “{chosen[0]}”{rest}")
    return chosen[0]


def _holds_tensors(value: Any, known: dict[int, bool], level: int = 2) -> bool:
    """Whether a state_dict is in there; each object is looked at once, however often it is referred to."""
    if id(value) not in known:
        content = _mapping(value)
        known[id(value)] = bool(content) and _is_state_dict(content)
        if not known[id(value)] and level:
            inside = [entry for key, entry in content.items() if isinstance(key, str) and not NO_NETWORK.search(key)]
            known[id(value)] = any(_holds_tensors(entry, known, level - 1) for entry in inside)
    return known[id(value)]


def _nothing(value: Any) -> Refusal:
    """A whole pickled model is an object of somebody's class, or keeps its layers under `_modules` in such a state."""
    entries = [value, *_mapping(value).values()]
    for entry in entries:
        if not isinstance(entry, UnresolvedGlobal):
            continue
        layers = isinstance(entry.state, dict) and "_modules" in entry.state
        if layers or (entry is value and entry.name.startswith("__main__.")):
            message = f"The file is a whole pickled model: opening it would run the class {entry.name}."
            return Refusal(RefusalCode.PICKLED_MODEL, message, HINT)
    names = ", ".join(str(key)[:60] for key in list(_mapping(value))[:LISTED])
    kind = value.name if isinstance(value, UnresolvedGlobal) else type(value).__name__
    return Refusal(RefusalCode.NO_STATE_DICT, f"The file holds no state_dict: found {names or kind}.", HINT)
