"""Vector-Jacobian products of the operators that heads of classifiers are made of, in NumPy.

Each takes an ONNX node, cotangents with the classes as a first axis (C, *output shape), and the values of the run, and
returns one cotangent (C, *input shape) for each input, or None for an input without gradient.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Values = Mapping[str, Array]
Cotangents = Sequence[Array | None]


class Node:
    """An operator of a graph: its kind, the names of its inputs and outputs, its attributes as plain Python values."""

    def __init__(self, kind: str, inputs: Sequence[str], outputs: Sequence[str], attributes: Mapping[str, Any]) -> None:
        self.kind, self.inputs, self.outputs, self.attributes = kind, tuple(inputs), tuple(outputs), attributes

    def get(self, name: str, default: Any) -> Any:
        return self.attributes.get(name, default)


Product = Callable[[Node, Array, Values], Cotangents]
PRODUCTS: dict[str, Product] = {}
POINTWISE: dict[str, Callable[[Node, Array], Array]] = {}


def product(*kinds: str) -> Callable[[Product], Product]:
    """Register the decorated function for kinds of operators."""

    def register(function: Product) -> Product:
        PRODUCTS.update(dict.fromkeys(kinds, function))
        return function

    return register


def slope(*kinds: str) -> Callable[[Callable[[Node, Array], Array]], Callable[[Node, Array], Array]]:
    """Register the derivative of an operator that works on each number alone."""

    def register(derivative: Callable[[Node, Array], Array]) -> Callable[[Node, Array], Array]:
        def pull(node: Node, cotangent: Array, values: Values) -> Cotangents:
            return [cotangent * derivative(node, values[node.inputs[0]]), *[None] * (len(node.inputs) - 1)]

        PRODUCTS.update(dict.fromkeys(kinds, pull))
        return derivative

    return register


def _summed(cotangent: Array, shape: Sequence[int]) -> Array:
    """Sum over what broadcasting had repeated: (C, *larger) becomes (C, *shape)."""
    classes = cotangent.shape[0]
    while cotangent.ndim - 1 > len(shape):
        cotangent = cotangent.sum(axis=1)
    repeated = tuple(
        axis + 1
        for axis, (side, own) in enumerate(zip(cotangent.shape[1:], shape, strict=True))
        if own == 1 and side > 1
    )
    return cotangent.sum(axis=repeated, keepdims=True).reshape(classes, *shape) if repeated else cotangent


@product("Identity", "Dropout", "Cast")
def _same(node: Node, cotangent: Array, values: Values) -> Cotangents:
    return [cotangent, *[None] * (len(node.inputs) - 1)]


@product("Flatten", "Reshape", "Squeeze", "Unsqueeze")
def _reshaped(node: Node, cotangent: Array, values: Values) -> Cotangents:
    shape = values[node.inputs[0]].shape
    return [cotangent.reshape(cotangent.shape[0], *shape), *[None] * (len(node.inputs) - 1)]


@product("Transpose")
def _transposed(node: Node, cotangent: Array, values: Values) -> Cotangents:
    order = node.get("perm", None) or range(values[node.inputs[0]].ndim)[::-1]
    return [cotangent.transpose(0, *(int(place) + 1 for place in np.argsort(order)))]


@product("Add", "Sub")
def _added(node: Node, cotangent: Array, values: Values) -> Cotangents:
    left, right = (values[name].shape for name in node.inputs)
    return [_summed(cotangent, left), _summed(-cotangent if node.kind == "Sub" else cotangent, right)]


@product("Mul")
def _multiplied(node: Node, cotangent: Array, values: Values) -> Cotangents:
    left, right = (values[name] for name in node.inputs)
    return [_summed(cotangent * right, left.shape), _summed(cotangent * left, right.shape)]


@product("Div")
def _divided(node: Node, cotangent: Array, values: Values) -> Cotangents:
    left, right = (values[name] for name in node.inputs)
    return [_summed(cotangent / right, left.shape), _summed(-cotangent * left / right**2, right.shape)]


@product("Min", "Max")
def _limited(node: Node, cotangent: Array, values: Values) -> Cotangents:
    """Of two values, the gradient goes to the one that was taken; to the first where they are equal."""
    left, right = (values[name] for name in node.inputs)
    first = left <= right if node.kind == "Min" else left >= right
    return [_summed(cotangent * first, left.shape), _summed(cotangent * ~first, right.shape)]


@product("Pow")
def _powered(node: Node, cotangent: Array, values: Values) -> Cotangents:
    base, exponent = (values[name] for name in node.inputs)
    return [_summed(cotangent * exponent * base ** (exponent - 1), base.shape), None]


@product("MatMul")
def _matrices(node: Node, cotangent: Array, values: Values) -> Cotangents:
    left, right = (values[name] for name in node.inputs)
    into_left = _summed(cotangent @ right.swapaxes(-1, -2), left.shape)
    if right.ndim == 2:  # a layer's weights: nothing behind them asks for a gradient
        return [into_left, None]
    return [into_left, _summed(left.swapaxes(-1, -2) @ cotangent, right.shape)]


@product("Gemm")
def _dense(node: Node, cotangent: Array, values: Values) -> Cotangents:
    weights = values[node.inputs[1]]
    onto = weights if node.get("transB", 0) else weights.T
    back = node.get("alpha", 1.0) * (cotangent @ onto)
    if node.get("transA", 0):
        back = back.swapaxes(-1, -2)
    return [back, *[None] * (len(node.inputs) - 1)]


@product("Conv")
def _mixed(node: Node, cotangent: Array, values: Values) -> Cotangents:
    """Only the 1 × 1 convolution, which mixes channels."""
    weights = values[node.inputs[1]]
    return [
        np.einsum("cnorw,oi->cnirw", cotangent, weights[:, :, 0, 0], optimize=True),
        *[None] * (len(node.inputs) - 1),
    ]


@product("BatchNormalization")
def _normalised(node: Node, cotangent: Array, values: Values) -> Cotangents:
    scale, variance = values[node.inputs[1]], values[node.inputs[4]]
    factor = scale / np.sqrt(variance + node.get("epsilon", 1e-5))
    return [cotangent * factor.reshape(-1, *[1] * (cotangent.ndim - 3)), *[None] * 4]


@product("LayerNormalization")
def _layer_normalised(node: Node, cotangent: Array, values: Values) -> Cotangents:
    given, scale = values[node.inputs[0]], values[node.inputs[1]]
    axes = tuple(range(node.get("axis", -1) % given.ndim, given.ndim))
    deviation = np.sqrt(given.var(axis=axes, keepdims=True) + node.get("epsilon", 1e-5))
    normal = (given - given.mean(axis=axes, keepdims=True)) / deviation
    inner, behind = cotangent * scale, tuple(axis + 1 for axis in axes)
    back = inner - inner.mean(axis=behind, keepdims=True)
    back = back - normal * (inner * normal).mean(axis=behind, keepdims=True)
    return [back / deviation, *[None] * (len(node.inputs) - 1)]


@product("Softmax")
def _softmax(node: Node, cotangent: Array, values: Values) -> Cotangents:
    shares = values[node.outputs[0]]
    axis = node.get("axis", -1) % shares.ndim + 1
    return [shares * (cotangent - (cotangent * shares).sum(axis=axis, keepdims=True))]


@product("GlobalAveragePool", "AveragePool")
def _averaged(node: Node, cotangent: Array, values: Values) -> Cotangents:
    shape = values[node.inputs[0]].shape
    return [np.broadcast_to(cotangent / math.prod(shape[2:]), (cotangent.shape[0], *shape))]


@product("GlobalMaxPool", "MaxPool")
def _highest(node: Node, cotangent: Array, values: Values) -> Cotangents:
    given = values[node.inputs[0]]
    return [cotangent * _shares_of_highest(given, tuple(range(2, given.ndim)))]


@product("ReduceMean", "ReduceSum", "ReduceMax")
def _reduced(node: Node, cotangent: Array, values: Values) -> Cotangents:
    given = values[node.inputs[0]]
    listed = values[node.inputs[1]].tolist() if len(node.inputs) > 1 else node.get("axes", None)
    axes = tuple(sorted(axis % given.ndim for axis in (listed or range(given.ndim))))
    if not node.get("keepdims", 1):
        cotangent = np.expand_dims(cotangent, tuple(axis + 1 for axis in axes))
    rest = [None] * (len(node.inputs) - 1)
    if node.kind == "ReduceMax":
        return [cotangent * _shares_of_highest(given, axes), *rest]
    size = math.prod(given.shape[axis] for axis in axes) if node.kind == "ReduceMean" else 1
    return [np.broadcast_to(cotangent / size, (cotangent.shape[0], *given.shape)), *rest]


def _shares_of_highest(given: Array, axes: tuple[int, ...]) -> Array:
    """Where the highest value stands; equal ones share."""
    highest = given == given.max(axis=axes, keepdims=True)
    return np.asarray(highest / highest.sum(axis=axes, keepdims=True))


@product("Concat")
def _joined(node: Node, cotangent: Array, values: Values) -> Cotangents:
    axis = node.get("axis", 0) % (cotangent.ndim - 1)
    ends = np.cumsum([values[name].shape[axis] for name in node.inputs])[:-1]
    return np.split(cotangent, ends, axis=axis + 1)


@product("Split")
def _parted(node: Node, cotangent: Array, values: Values) -> Cotangents:
    """The parts' cotangents come put together."""
    return [cotangent, *[None] * (len(node.inputs) - 1)]


@product("Gather")
def _gathered(node: Node, cotangent: Array, values: Values) -> Cotangents:
    given, places = (values[name] for name in node.inputs)
    axis = node.get("axis", 0) % given.ndim
    back = np.zeros((cotangent.shape[0], *given.shape), cotangent.dtype)
    index = (slice(None),) * (axis + 1)
    np.add.at(back, (*index, places), cotangent)
    return [back, None]


@product("Slice")
def _sliced(node: Node, cotangent: Array, values: Values) -> Cotangents:
    given = values[node.inputs[0]]
    starts, ends = (values[name].tolist() for name in node.inputs[1:3])
    axes = values[node.inputs[3]].tolist() if len(node.inputs) > 3 else list(range(len(starts)))
    steps = values[node.inputs[4]].tolist() if len(node.inputs) > 4 else [1] * len(starts)
    index = [slice(None)] * (given.ndim + 1)
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        index[axis % given.ndim + 1] = slice(start, end, step)
    back = np.zeros((cotangent.shape[0], *given.shape), cotangent.dtype)
    back[tuple(index)] = cotangent
    return [back, *[None] * (len(node.inputs) - 1)]


@slope("Relu")
def _relu(node: Node, x: Array) -> Array:
    return x > 0


@slope("LeakyRelu")
def _leaky(node: Node, x: Array) -> Array:
    return np.where(x > 0, np.float32(1), np.float32(node.get("alpha", 0.01)))


@slope("Elu")
def _elu(node: Node, x: Array) -> Array:
    alpha = np.float32(node.get("alpha", 1.0))
    return np.where(x > 0, np.float32(1), alpha * np.exp(np.minimum(x, 0)))


@slope("Sigmoid")
def _sigmoid_slope(node: Node, x: Array) -> Array:
    share = 1 / (1 + np.exp(-x))
    return np.asarray(share * (1 - share))


@slope("Tanh")
def _tanh(node: Node, x: Array) -> Array:
    return 1 - np.tanh(x) ** 2


@slope("Softplus")
def _softplus(node: Node, x: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-x)))


@slope("Erf")
def _erf(node: Node, x: Array) -> Array:
    return np.asarray(np.float32(2 / math.sqrt(math.pi)) * np.exp(-(x**2)))


@slope("Log")
def _log(node: Node, x: Array) -> Array:
    return np.asarray(1 / x)


@slope("Neg")
def _negative(node: Node, x: Array) -> Array:
    return np.full(x.shape, -1, x.dtype)


@slope("Sqrt")
def _root(node: Node, x: Array) -> Array:
    return np.asarray(0.5 / np.sqrt(x))


@slope("HardSigmoid")
def _hard_sigmoid(node: Node, x: Array) -> Array:
    alpha, beta = node.get("alpha", 0.2), node.get("beta", 0.5)
    inside = (alpha * x + beta > 0) & (alpha * x + beta < 1)
    return np.asarray(inside * np.float32(alpha))


@slope("HardSwish")
def _hard_swish(node: Node, x: Array) -> Array:
    return np.where(x <= -3, 0, np.where(x >= 3, 1, x / 3 + 0.5)).astype(np.float32)


@product("Clip")
def _clipped(node: Node, cotangent: Array, values: Values) -> Cotangents:
    given = values[node.inputs[0]]
    low, high = ([*(values[name] if name else None for name in node.inputs[1:]), None, None])[:2]
    above = np.full(given.shape, True) if low is None else given > low
    below = np.full(given.shape, True) if high is None else given < high
    return [cotangent * (above & below), *[None] * (len(node.inputs) - 1)]
