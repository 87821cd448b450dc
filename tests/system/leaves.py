"""A tiny network of another field with random weights, written without its framework."""

from typing import Any

import numpy as np
from safetensors.numpy import save

CLASSES = [
    {"code": "rust", "name": "Leaf rust", "malignant": None},
    {"code": "healthy", "name": "Healthy leaf", "malignant": None},
    {"code": "mildew", "name": "Powdery mildew", "malignant": None},
]
LAYERS = [
    {"type": "conv2d", "name": "conv1", "out": 8, "kernel": 3, "stride": 1, "padding": 1},
    {"type": "relu"},
    {"type": "maxpool2d", "kernel": 2},
    {"type": "flatten"},
    {"type": "linear", "name": "fc1", "out": 3},
]
LEAVES: dict[str, Any] = {
    "name": "Leaves",
    "architecture": {"family": "layers", "layers": LAYERS},
    "classes": CLASSES,
    "input": {"width": 32, "height": 32},
    "output": "logits",
}


def leaf_network() -> bytes:
    random = np.random.default_rng(0)
    shapes = {"conv1.weight": (8, 3, 3, 3), "conv1.bias": (8,), "fc1.weight": (3, 8 * 16 * 16), "fc1.bias": (3,)}
    return save({name: random.normal(0, 0.1, shape).astype(np.float32) for name, shape in shapes.items()})
