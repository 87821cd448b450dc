"""TensorFlow functions in a Keras 2 model (`TFOpLambda` and its kin), put into layers that Keras 3 brings itself.

Only what has an exact equal is translated; the layer keeps its name, so the check that follows can call it by that.
"""

import math
from collections.abc import Callable
from typing import Any

from classifier.admission.keras.config import HINT
from classifier.admission.keras.graph import Call, Chain, Layer, Tensor, built_in, operation, tensors
from classifier.admission.refusal import Refusal, RefusalCode

# How Keras 2 names these layers, unless a person does.
NAMES = ("tf.", "tf_op_layer_")
CLASSES = ("TFOpLambda", "SlicingOpLambda")
FLOATS = ("float16", "float32", "float64", "bfloat16")
ACTIVATIONS = {
    "nn.relu": "relu",
    "nn.relu6": "relu6",
    "nn.elu": "elu",
    "nn.selu": "selu",
    "nn.silu": "silu",
    "nn.swish": "silu",
    "nn.sigmoid": "sigmoid",
    "math.sigmoid": "sigmoid",
    "nn.tanh": "tanh",
    "math.tanh": "tanh",
    "nn.softplus": "softplus",
    "math.softplus": "softplus",
    "nn.softmax": "softmax",
}
MERGES = {
    "math.add": "Add",
    "math.multiply": "Multiply",
    "math.subtract": "Subtract",
    "math.maximum": "Maximum",
    "math.minimum": "Minimum",
}
ALIASES = {
    "__operators__.add": "math.add",
    "add": "math.add",
    "multiply": "math.multiply",
    "subtract": "math.subtract",
    "divide": "math.truediv",
    "math.divide": "math.truediv",
    "realdiv": "math.truediv",
    "maximum": "math.maximum",
    "minimum": "math.minimum",
    "reduce_mean": "math.reduce_mean",
    "reduce_max": "math.reduce_max",
    "sigmoid": "math.sigmoid",
    "tanh": "math.tanh",
    "identity": "stop_gradient",
}
# The names of TensorFlow's graph operations, which Keras 2.0 to 2.3 wrote in place of functions.
NODES = {
    "AddV2": "math.add",
    "Add": "math.add",
    "Mul": "math.multiply",
    "Sub": "math.subtract",
    "RealDiv": "math.truediv",
    "Maximum": "math.maximum",
    "Minimum": "math.minimum",
    "BiasAdd": "nn.bias_add",
    "Relu": "nn.relu",
    "Relu6": "nn.relu6",
    "Sigmoid": "math.sigmoid",
    "Tanh": "math.tanh",
    "Identity": "stop_gradient",
}
# `x[..., ::-1]` as a graph operation: the ellipsis is at place 0, begin and end are open at place 1.
BACKWARDS = {"start": None, "stop": None, "step": -1}
MASKS = ("ellipsis_mask", "begin_mask", "end_mask", "new_axis_mask", "shrink_axis_mask")
TURNING_MASKS = [1, 2, 2, 0, 0]


def translate(layer: Layer, calls: list[Call]) -> Chain | None:
    """Return what stands in place of a TensorFlow function, or None where nothing does so exactly."""
    kind = layer.get("class_name")
    if len(calls) != 1 or kind not in (*CLASSES, "TensorFlowOpLayer"):
        return None
    function, given, options = _node(layer, calls[0]) if kind == "TensorFlowOpLayer" else _function(layer, calls[0])
    function = ALIASES.get(function, function)
    made = _made(function, given, options, str(layer["name"]))
    if made is None:
        return None
    new, inputs = made
    return [(new, [inputs])]


def is_operation(layer: Layer) -> bool:
    return layer.get("class_name") in (*CLASSES, "TensorFlowOpLayer")


def check_ranks(model: Any) -> None:
    """Raises Refusal where a translated sum or product is one of different ranks, which Keras extends otherwise."""
    for layer in model._flatten_layers(include_self=False):
        if type(layer).__name__ in MERGES.values() and layer.name.startswith(NAMES):
            ranks = {len(tensor.shape) for tensor in layer.input}
            if len(ranks) > 1:
                message = f"The layer “{layer.name}” joins tensors of different ranks, which Keras 3 does otherwise."
                raise Refusal(RefusalCode.TF_OP_LAYER, message, HINT, check="rebuild")


def _function(layer: Layer, call: Call) -> tuple[str, list[Any], dict[str, Any]]:
    """The function's name, what it works on, and its options."""
    args, kwargs = call
    options = {key: value for key, value in kwargs.items() if value is not None and key != "name"}
    given = list(args)
    if "y" in options:
        given.append(options.pop("y"))
    return str(layer["config"]["function"]), given, options


def _node(layer: Layer, call: Call) -> tuple[str, list[Any], dict[str, Any]]:
    """The same of a graph operation: its constants fill the places between the tensors."""
    inner = layer["config"]
    node, constants = inner["node_def"], {int(place): value for place, value in inner["constants"].items()}
    given = call[0][0] if isinstance(call[0][0], list) else list(call[0])
    count = len(given) + len(constants)
    rest = iter(given)
    values = [constants[place] if place in constants else next(rest) for place in range(count)]
    kind = str(node["op"])
    if kind == "Mean":
        keep = bool(node.get("attr", {}).get("keep_dims", {}).get("b"))
        return "math.reduce_mean", values[:1], {"axis": values[1], "keepdims": keep}
    if kind == "StridedSlice" and _masks(node.get("attr", {})) == TURNING_MASKS and values[3] == [1, -1]:
        return "__operators__.getitem", values[:1], {"slice_spec": [{"class_name": "__ellipsis__"}, BACKWARDS]}
    if kind == "BiasAdd" and len(values) == 2:
        return "nn.bias_add", values[:1], {"bias": values[1]}
    return NODES.get(kind, kind), values, {}


def _masks(attributes: dict[str, Any]) -> list[int]:
    return [int(attributes.get(name, {}).get("i", 0)) for name in MASKS]


def _made(function: str, given: list[Any], options: dict[str, Any], name: str) -> tuple[Layer, Call] | None:
    whole = _whole(function, given, options, name)
    if whole is not None:
        return whole
    if len(given) == 2 and not options:
        return _arithmetic(function, given[0], given[1], name)
    if len(given) != 1 or not isinstance(given[0], Tensor):
        return None
    new = _of_one(function, options, name)
    return (new, ([given[0]], {})) if new is not None else None


def _whole(function: str, given: list[Any], options: dict[str, Any], name: str) -> tuple[Layer, Call] | None:
    """Joining several tensors."""
    if function == "concat" and given and _all_tensors(given[0]) and type(options.get("axis")) is int:
        return built_in("Concatenate", name, axis=options["axis"]), ([given[0]], {})
    if function == "math.add_n" and given and _all_tensors(given[0]):
        return built_in("Add", name), ([given[0]], {})
    return None


def _all_tensors(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(entry, Tensor) for entry in value)


def _arithmetic(function: str, left: Any, right: Any, name: str) -> tuple[Layer, Call] | None:
    if isinstance(left, Tensor) and isinstance(right, Tensor):
        if function in MERGES:
            return built_in(MERGES[function], name), ([[left, right]], {})
        return (operation("Divide", name), ([left, right], {})) if function == "math.truediv" else None
    tensor, constant, turned = (left, right, False) if isinstance(left, Tensor) else (right, left, True)
    if not isinstance(tensor, Tensor) or any(tensors(constant)) or not _numbers(constant):
        return None
    new = _with_constant(function, constant, turned, name)
    return (new, ([tensor], {})) if new is not None else None


def _with_constant(function: str, constant: Any, turned: bool, name: str) -> Layer | None:
    if function == "math.multiply":
        return built_in("Rescaling", name, scale=constant, offset=0.0)
    if function == "math.add":
        return built_in("Rescaling", name, scale=1.0, offset=constant)
    if function == "math.subtract":
        offset = constant if turned else _each(constant, lambda number: -number)
        return built_in("Rescaling", name, scale=-1.0 if turned else 1.0, offset=offset)
    if function == "math.truediv" and not turned and all(_flat(constant)):
        return built_in("Rescaling", name, scale=_each(constant, lambda number: 1 / number), offset=0.0)
    if function == "math.maximum" and constant == 0:
        return built_in("ReLU", name)
    return None


def _of_one(function: str, options: dict[str, Any], name: str) -> Layer | None:
    """A function of one tensor."""
    if function in ACTIVATIONS and options in ({}, {"axis": -1}):
        return built_in("Activation", name, activation=ACTIVATIONS[function])
    if function == "nn.leaky_relu" and set(options) <= {"alpha"}:
        return built_in("LeakyReLU", name, negative_slope=options.get("alpha", 0.2))
    if function == "nn.gelu" and set(options) <= {"approximate"} and not options.get("approximate"):
        return built_in("Activation", name, activation="gelu")
    if function == "stop_gradient" or (function == "cast" and options.get("dtype") in FLOATS):
        return built_in("Identity", name)
    if function == "math.negative":
        return built_in("Rescaling", name, scale=-1.0, offset=0.0)
    if function == "nn.bias_add" and _numbers(options.get("bias")) and options.get("data_format") in (None, "NHWC"):
        return built_in("Rescaling", name, scale=1.0, offset=options["bias"])
    pooling = {"math.reduce_mean": "GlobalAveragePooling2D", "math.reduce_max": "GlobalMaxPooling2D"}.get(function)
    if pooling is not None and options.get("axis") in ([1, 2], [2, 1]):
        return built_in(pooling, name, keepdims=bool(options.get("keepdims", False)))
    if function == "reshape" and _is_row(options.get("shape")):
        return built_in("Reshape", name, target_shape=options["shape"][1:])
    if function == "image.resize":
        return _resizing(options, name)
    if function == "__operators__.getitem" and _turns_colours(options.get("slice_spec")):
        return operation("Flip", name) | {"config": {"name": name, "axis": -1}}
    return None


def _resizing(options: dict[str, Any], name: str) -> Layer | None:
    size, method = options.get("size"), options.get("method", "bilinear")
    others = {key: value for key, value in options.items() if key not in ("size", "method") and value is not False}
    if size is None or not _is_size(size) or method not in ("bilinear", "nearest", "bicubic") or others:
        return None
    return built_in("Resizing", name, height=size[0], width=size[1], interpolation=method)


def _is_size(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(type(side) is int for side in value)


def _is_row(shape: Any) -> bool:
    good = isinstance(shape, list) and len(shape) > 1 and all(type(side) is int for side in shape)
    return good and shape[0] == -1 and all(side > 0 for side in shape[1:])


def _turns_colours(spec: Any) -> bool:
    """`x[..., ::-1]`, or the same with `:` for each axis: RGB becomes BGR."""
    if not isinstance(spec, list) or spec[-1:] != [BACKWARDS]:
        return False
    whole = BACKWARDS | {"step": None}
    return spec[:-1] == [{"class_name": "__ellipsis__"}] or spec[:-1] == [whole] * 3


def _numbers(value: Any) -> bool:
    numbers = _flat(value)
    return bool(numbers) and all(type(number) in (int, float) and math.isfinite(number) for number in numbers)


def _flat(value: Any) -> list[Any]:
    return [number for inner in value for number in _flat(inner)] if isinstance(value, list) else [value]


def _each(value: Any, change: Callable[[float], float]) -> Any:
    return [_each(inner, change) for inner in value] if isinstance(value, list) else change(value)
