"""A bundle whose weights are put at random places: does a map notice that the network has forgotten everything?

Source: Adebayo et al. 2018, arXiv:1810.03292, the cascading randomisation; permuting keeps each weight's distribution.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import numpy_helper

from classifier.inference import bundle as bundles
from classifier.inference.bundle import Bundle, Graph
from classifier.inference.graph.graph import parse

CASCADE = (0.25, 0.5, 0.75, 1.0)
WEIGHTED = frozenset(
    ("Conv", "ConvTranspose", "Gemm", "MatMul", "BatchNormalization", "LayerNormalization", "InstanceNormalization",
     "PRelu", "Add", "Sub", "Mul", "Div")
)  # fmt: skip
"""Operators whose constants were learned; those of others, such as the sides of a resize, are not weights."""


def shares(bundle: Bundle) -> tuple[float, ...]:
    """Which shares of the layers can be randomised from the logits down: without a graph the order is not known."""
    return CASCADE if _has_feature_layer(bundle) else (1.0,)


def randomised(bundle: Bundle, share: float, seed: int) -> Bundle:
    """Return the bundle with the values of each weight permuted in the `share` of the layers nearest to the logits.

    Raises ValueError for a share that `shares` does not name.
    """
    if share not in shares(bundle):
        raise ValueError(f"a share of {share} of the layers cannot be randomised here")
    rng = np.random.default_rng(seed)
    if bundle.graph is not None and _has_feature_layer(bundle):
        return replace(bundle, graph=Graph(_graph(bundle.graph.content, share, rng), bundle.graph.feature_layer))
    native = bundle if bundle.graph is None else bundles.read(bundle.folder, native=True)
    return replace(native, tensors={name: _permuted(value, rng) for name, value in sorted(native.tensors.items())})


def _has_feature_layer(bundle: Bundle) -> bool:
    """Where a graph has no feature layer, the framework makes the maps from the tensors."""
    return bundle.graph is not None and bundle.graph.feature_layer is not None


def _graph(content: bytes, share: float, rng: np.random.Generator) -> bytes:
    model = parse(content)
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}
    found = layers(model)
    for names in found[: math.ceil(share * len(found))]:
        for name in names:
            values = _permuted(numpy_helper.to_array(tensors[name]), rng)
            tensors[name].CopyFrom(numpy_helper.from_array(values, name))
    return bytes(model.SerializeToString())


def layers(model: onnx.ModelProto) -> list[Sequence[str]]:
    """Return the names of each layer's weights, the layer nearest to the logits first; none occurs twice."""
    weights = {tensor.name for tensor in model.graph.initializer if _is_weight(numpy_helper.to_array(tensor))}
    found: list[Sequence[str]] = []
    for node in reversed(model.graph.node):
        names = [name for name in node.input if name in weights] if node.op_type in WEIGHTED else []
        weights -= set(names)
        if names:
            found.append(names)
    return found


def _is_weight(values: npt.NDArray[Any]) -> bool:
    return bool(np.issubdtype(values.dtype, np.floating)) and values.size > 1


def _permuted(values: npt.NDArray[Any], rng: np.random.Generator) -> npt.NDArray[Any]:
    return rng.permutation(values.ravel()).reshape(values.shape) if _is_weight(values) else values
