"""What Keras 3 wants otherwise than Keras 2 wrote it: small, reported changes to a checked configuration."""

import copy
from collections.abc import Iterator
from typing import Any

from classifier.admission import keras_config


def repair(config: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return a configuration that Keras 3 can rebuild, and a sentence for each kind of change."""
    repaired = copy.deepcopy(config)
    changes: dict[str, int] = {}
    for layer in keras_config.layers(repaired):
        for change in _repair_layer(layer):
            changes[change] = changes.get(change, 0) + 1
    return repaired, [f"{change} ({count} layers)" for change, count in changes.items()]


def _repair_layer(layer: dict[str, Any]) -> Iterator[str]:
    inner = layer.get("config")
    if not isinstance(inner, dict):
        return
    if layer.get("class_name") == "InputLayer" and "batch_input_shape" in inner:
        inner["batch_shape"] = inner.pop("batch_input_shape")
        yield "batch_input_shape is batch_shape in Keras 3"
    if layer.get("class_name") == "DepthwiseConv2D" and inner.get("groups") == 1:
        del inner["groups"]
        yield "DepthwiseConv2D has no groups in Keras 3"
    axis = inner.get("axis")
    if layer.get("class_name") == "BatchNormalization" and isinstance(axis, list) and len(axis) == 1:
        inner["axis"] = axis[0]
        yield "BatchNormalization's axis is one number in Keras 3"
    if _is_mixed(inner.get("dtype")):
        inner["dtype"] = "float32"
        yield "mixed precision was set to float32"


def _is_mixed(policy: Any) -> bool:
    if isinstance(policy, dict):
        inner = policy.get("config")
        policy = inner.get("name") if isinstance(inner, dict) else None
    return isinstance(policy, str) and policy.startswith("mixed_")
