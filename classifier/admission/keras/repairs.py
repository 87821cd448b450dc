"""What Keras 3 wants otherwise than Keras 2 wrote it: reported changes to a configuration, which is checked after."""

import copy
from collections import Counter
from typing import Any

from classifier.admission.keras import config as keras_config
from classifier.admission.keras import graph, layers, operations
from classifier.admission.keras.config import Config
from classifier.admission.keras.graph import Call, Chain, Layer

MODEL_CLASSES = {"Model": "Functional"}
OLD_PARTS = ("module", "registered_name", "build_config", "shared_object_id")


def repair(config: Config, *, keras: int = 2) -> tuple[Config, list[str]]:
    """Return a configuration that Keras 3 can rebuild, and a sentence for each kind of change.

    `keras` is the version that wrote it. The configuration is not checked yet; one that has not the form of a model
    comes back as it was.
    """
    changes: Counter[str] = Counter()
    repaired = copy.deepcopy(config)
    try:
        if keras < 3:
            _repair_model(repaired, changes)
        _set_single_precision(repaired, changes)
    except (AttributeError, IndexError, KeyError, StopIteration, TypeError, ValueError):
        return config, []
    return repaired, [f"{change} ({count} layers)" for change, count in changes.items() if count]


def _repair_model(model: Config, changes: Counter[str]) -> None:
    """Models inside come first, so that the graph sees them as they will be."""
    kind = model["class_name"] = MODEL_CLASSES.get(model["class_name"], model["class_name"])
    if kind not in keras_config.MODELS:
        return
    _forget_old_modules(model)
    if isinstance(model["config"], list):
        model["config"] = {"name": "sequential", "layers": model["config"]}
        changes["a Sequential is an object with a name in Keras 3"] += 1
    inner = model["config"]
    for layer in inner["layers"]:
        _repair_inside(layer, changes)

    def replace(layer: Layer, calls: list[Call]) -> Chain | None:
        return _replace(layer, calls, changes)

    if any("/" in layer["config"].get("name", "") for layer in inner["layers"] if isinstance(layer["config"], dict)):
        changes["“/” in a layer's name is “_”"] += 1
    make = graph.make_sequential if kind == "Sequential" else graph.make_functional
    make(inner, replace)


def _repair_inside(layer: Layer, changes: Counter[str]) -> None:
    """Repair a model that stands as a layer, or the layer in a wrapper."""
    _forget_old_modules(layer)
    if layer.get("class_name") in (*keras_config.MODELS, *MODEL_CLASSES):
        _repair_model(layer, changes)
        return
    for key in ("layer", "forward_layer", "backward_layer"):
        wrapped = layer["config"].get(key)
        if isinstance(wrapped, dict) and "class_name" in wrapped:
            _repair_inside(wrapped, changes)
            if wrapped["class_name"] not in keras_config.MODELS:
                changes.update(layers.bring_up_to_date(wrapped))
                wrapped.update(module="keras.layers", registered_name=None)


def _replace(layer: Layer, calls: list[Call], changes: Counter[str]) -> Chain | None:
    if layer.get("class_name") in keras_config.MODELS:
        return None
    if operations.is_operation(layer):
        chain = operations.translate(layer, calls)
        changes["TensorFlow functions are layers of Keras 3"] += chain is not None
        return chain
    found = layers.replace(layer, calls)
    chain = [(layer, calls)] if found is None else found[0]
    if found is not None:
        changes[found[1]] += 1
    for part, _calls in chain:
        changes.update(layers.bring_up_to_date(part))
    return chain


def _forget_old_modules(part: Config) -> None:
    """Keras 2.12 to 2.15 name modules that have moved since; a class of Keras' own is found without."""
    module, registered = part.get("module"), part.get("registered_name")
    own = module is None or str(module).startswith(("keras.src.", "keras.engine.", "keras.layers", "keras.models"))
    if own and registered in (None, part["class_name"], f"Custom>{part['class_name']}"):
        for key in OLD_PARTS:
            part.pop(key, None)


def _set_single_precision(value: Any, changes: Counter[str]) -> None:
    """The portal works in float32: a policy of lower precision only ever concerned how the weights were trained."""
    if isinstance(value, list):
        for inner in value:
            _set_single_precision(inner, changes)
        return
    if not isinstance(value, dict):
        return
    policy = value.get("dtype")
    name = policy.get("config", {}).get("name") if isinstance(policy, dict) else policy
    if isinstance(name, str) and "class_name" not in value and "keras_history" not in value:
        if name.startswith("mixed_") or name in ("float16", "bfloat16", "float64"):
            changes[f"precision {name} was set to float32"] += 1
            name = "float32"
        if (isinstance(policy, dict) and policy.get("class_name") in keras_config.POLICIES) or name != policy:
            value["dtype"] = name
    for inner in value.values():
        _set_single_precision(inner, changes)
