"""The layers of an old Keras model as a graph: names, references and calls brought into the one form of Keras 3.

Keras 2 writes a call as `["conv", 0, 0, {"training": false}]`, with a list around it or two, and counts the calls of
a model inside another from 1. Here every call becomes `{"args": […], "kwargs": {…}}` with the tensors in it.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from classifier.admission.keras.config import Config

MODELS = frozenset(("Functional", "Sequential", "Model"))
CONSTANT = "_CONSTANT_VALUE"
UNNEEDED = ("training", "mask")
LONGEST_NAME = 200

Layer = dict[str, Any]
# A call as it is passed on here: what is given by place, and what by name.
Call = tuple[list[Any], Config]
# What stands in place of a layer: layers with their calls. The first keeps the name, the last gives what it gave.
Chain = list[tuple[Layer, list[Call]]]
Replace = Callable[[Layer, list[Call]], Chain | None]


@dataclass(frozen=True)
class Tensor:
    """What the layer `layer` gave when it was called for the `call`th time (from 0)."""

    layer: str
    call: int
    place: int

    def to_json(self) -> Config:
        history = {"shape": [None], "dtype": "float32", "keras_history": [self.layer, self.call, self.place]}
        return {"class_name": "__keras_tensor__", "config": history}


def make_functional(config: Config, replace: Replace) -> None:
    """Bring a Functional configuration of Keras 2 up to date in place; `replace` may answer for each layer."""
    names = _new_names(config["layers"])
    first_calls = _first_calls(config)
    chains: list[Chain] = []
    for layer in config["layers"]:
        calls = [_read_call(call, names, first_calls) for call in layer.get("inbound_nodes", [])]
        layer["name"] = layer["config"]["name"] = names[layer["name"]]
        chains.append(replace(layer, calls) or [(layer, calls)])
    ends = {chain[0][0]["name"]: chain[-1][0]["name"] for chain in chains}
    layers = [layer for chain in chains for layer in _linked(chain, ends)]
    config["layers"] = layers
    models = {layer["name"] for layer in layers if layer.get("class_name") in ("Functional", "Model")}
    for key in ("input_layers", "output_layers"):
        ports = _ports(config[key], names, first_calls, ends, models)
        # Keras 3 tells one tensor from a list of one.
        config[key] = ports[0] if isinstance(ports, list) and len(ports) == 1 else ports


def make_sequential(config: Config, replace: Replace) -> None:
    """The same for a Sequential configuration; its first layer may carry the input's shape."""
    layers: list[Layer] = []
    for position, layer in enumerate(config["layers"]):
        inner = layer["config"]
        inner["name"] = _plain_name(inner["name"]) if "name" in inner else f"layer_{position}"
        layer["name"] = inner["name"]
        shape = inner.get("batch_input_shape")
        if position == 0 and shape is not None and layer["class_name"] != "InputLayer":
            layers.append(input_layer(f"{inner['name']}_input", shape))
        chain = replace(layer, [([Tensor("", 0, 0)], {})])
        layers.extend([layer] if chain is None else [link for link, _calls in chain])
    for layer in layers:
        layer.pop("inbound_nodes", None)
        layer.pop("name", None)
    config["layers"] = layers


def input_layer(name: str, shape: list[Any]) -> Layer:
    return {"class_name": "InputLayer", "name": name, "config": {"name": name, "batch_shape": shape}}


def built_in(kind: str, name: str, **config: Any) -> Layer:
    """A layer that Keras 3 brings itself."""
    return {"class_name": kind, "name": name, "config": {"name": name, **config}}


def operation(kind: str, name: str) -> Layer:
    """An operation of keras.ops.numpy as a part of the graph."""
    made = {"module": "keras.src.ops.numpy", "class_name": kind, "registered_name": kind}
    return {**made, "name": name, "config": {"name": name}}


def tensors(value: Any) -> Iterator[Tensor]:
    """Yield each tensor in what a call is given."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from tensors(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from tensors(inner)


def _new_names(layers: list[Layer]) -> dict[str, str]:
    """Map each layer's name to one without '/', which Keras 3 does not take, and which no other layer has."""
    names: dict[str, str] = {}
    taken = {layer["name"] for layer in layers}
    for layer in layers:
        name = new = layer["name"]
        if name in names:
            raise ValueError(f"two layers are called {name}")
        if "/" in name:
            new = _plain_name(name)
            while new in taken:
                new += "_"
            taken.add(new)
        names[name] = new
    return names


def _plain_name(name: str) -> str:
    return name.replace("/", "_")[:LONGEST_NAME]


def _first_calls(config: Config) -> dict[str, int]:
    """Keras 2 makes the first call of an inner model when it makes the model: its calls are counted from 1 then."""
    counts = {layer["name"]: len(layer.get("inbound_nodes", [])) for layer in config["layers"]}
    models = {layer["name"] for layer in config["layers"] if layer.get("class_name") in MODELS}
    given = [layer.get("inbound_nodes", []) for layer in config["layers"]]
    used: dict[str, int] = {}
    for name, call in _references([given, config["input_layers"], config["output_layers"]]):
        used[name] = max(call, used.get(name, 0))
    return {name: int(name in models and used.get(name, 0) >= counts[name]) for name in counts}


def _references(value: Any) -> Iterator[tuple[str, int]]:
    if _is_reference(value):
        yield value[0], value[1]
        value = value[3:]
    if isinstance(value, list):
        for inner in value:
            yield from _references(inner)
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _references(inner)


def _is_reference(value: Any) -> bool:
    if not isinstance(value, list) or len(value) not in (3, 4):
        return False
    return isinstance(value[0], str) and type(value[1]) is int and (value[1] == -1 or type(value[2]) is int)


def _read_call(call: Any, names: dict[str, str], first_calls: dict[str, int]) -> Call:
    """Read one of the forms: one reference, a list of them (the last one's keywords count), or {"args", "kwargs"}."""
    if isinstance(call, dict):
        return call["args"], call["kwargs"]
    given = [call] if _is_reference(call) else call
    values = [_value(entry[:3], names, first_calls) for entry in given]
    keywords = given[-1][3] if len(given[-1]) == 4 else {}
    kept = {name: _value(value, names, first_calls) for name, value in keywords.items() if not _is_idle(name, value)}
    return [values[0] if _is_reference(call) or len(values) == 1 else values], kept


def _is_idle(name: str, value: Any) -> bool:
    return name in UNNEEDED and value in (None, False)


def _value(value: Any, names: dict[str, str], first_calls: dict[str, int]) -> Any:
    if _is_reference(value):
        if value[0] == CONSTANT:
            return value[2]
        if value[0] in names:
            return Tensor(names[value[0]], value[1] - first_calls[value[0]], value[2])
    if isinstance(value, list):
        return [_value(inner, names, first_calls) for inner in value]
    if isinstance(value, dict):
        return {name: _value(inner, names, first_calls) for name, inner in value.items()}
    return value


def _linked(chain: Chain, ends: dict[str, str]) -> Iterator[Layer]:
    """Write the calls of a chain: outside of it, a replaced layer's name means the end of what replaced it."""
    inside: set[str] = set()
    for layer, calls in chain:
        layer["inbound_nodes"] = [
            {"args": _written(args, ends, inside), "kwargs": _written(kwargs, ends, inside)} for args, kwargs in calls
        ]
        inside.add(layer["name"])
        yield layer


def _written(value: Any, ends: dict[str, str], inside: set[str]) -> Any:
    if isinstance(value, Tensor):
        name = value.layer if value.layer in inside else ends.get(value.layer, value.layer)
        return Tensor(name, value.call, value.place).to_json()
    if isinstance(value, list):
        return [_written(inner, ends, inside) for inner in value]
    if isinstance(value, dict):
        return {name: _written(inner, ends, inside) for name, inner in value.items()}
    return value


def _ports(
    ports: Any, names: dict[str, str], first_calls: dict[str, int], ends: dict[str, str], models: Iterable[str]
) -> Any:
    """Rewrite a model's inputs or outputs; here Keras 3 itself counts the calls of an inner Functional from 1."""
    if _is_reference(ports):
        old, call, place = ports[:3]
        name = ends.get(names[old], names[old])
        return [name, call - first_calls[old] + (name in models), place]
    if isinstance(ports, dict):
        return {key: _ports(port, names, first_calls, ends, models) for key, port in ports.items()}
    return [_ports(port, names, first_calls, ends, models) for port in ports]
