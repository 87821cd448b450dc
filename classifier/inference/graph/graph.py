"""A network as an ONNX graph that ends twice: with logits, and with the features that heat maps are made of.

No path from the picture to the logits goes around the features' layer. What stands behind it is the head, whose
gradients are taken here without any framework; the values that this needs are outputs of the graph too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper

from classifier.inference.graph.vjp import PRODUCTS, Node, Values
from classifier.inference.maps.layouts import Layout

Floats = npt.NDArray[np.float32]
LOGITS, FEATURES, PICTURE, CLINICAL = "logits", "features", "picture", "clinical"
OPSET = 17
CHUNK_BYTES = 64 * 1000 * 1000
OF_TWO = frozenset(("Add", "Sub", "Mul", "Div", "Min", "Max", "MatMul", "Concat"))  # operators of two computed values
SHAPING = frozenset(("Flatten", "Reshape", "Squeeze", "Unsqueeze", "Identity", "Dropout", "Cast"))
POOLS = frozenset(("MaxPool", "AveragePool"))  # over everything, as adaptive pooling is written
OF_SHAPES = frozenset(("Shape", "Size"))  # what they return does not move with the picture
OPERATORS = """Abs Add And ArgMax ArgMin AveragePool BatchNormalization Cast Ceil Celu Clip Concat Constant Conv
ConstantOfShape
ConvTranspose Cos CumSum DepthToSpace Div Dropout Einsum Elu Equal Erf Exp Expand EyeLike Flatten Floor Gather
GatherElements GatherND Gelu Gemm GlobalAveragePool GlobalLpPool GlobalMaxPool Greater GreaterOrEqual
GroupNormalization HardSigmoid HardSwish Identity InstanceNormalization IsInf IsNaN LRN LayerNormalization LeakyRelu
Less LessOrEqual Log LogSoftmax LpNormalization LpPool MatMul Max MaxPool Mean MeanVarianceNormalization Min Mish Mod
Mul Neg NonZero Not OneHot Or PRelu Pad Pow Range Reciprocal ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax
ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare Relu Reshape Resize Round ScatterElements ScatterND Selu
Shape Sigmoid Sign Sin Size Slice Softmax Softplus Softsign SpaceToDepth Split Sqrt Squeeze Sub Sum Tanh
ThresholdedRelu Tile TopK Transpose Trilu Unsqueeze Upsample Where Xor"""
ALLOWED = frozenset(OPERATORS.split())
"""Operators that compute one thing from another: no branches, loops, sequences, texts or chance."""


class GraphError(ValueError):
    """The graph cannot be used; the message says why."""


@dataclass(frozen=True)
class FeatureLayer:
    """Where the features are: `value` of the graph, which `order` transposes to the framework's `layout`."""

    value: str
    order: tuple[int, ...]
    layout: Layout

    def to_json(self) -> dict[str, Any]:
        return {"value": self.value, "order": list(self.order), "layout": self.layout.to_json()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "FeatureLayer":
        return cls(str(data["value"]), tuple(data["order"]), Layout.from_json(data["layout"]))


def parse(content: bytes) -> onnx.ModelProto:
    """Return a checked graph: operators of the standard only, all data inside. Raises GraphError."""
    try:
        model = onnx.load_model_from_string(content)
        onnx.checker.check_model(model)
    except Exception as error:  # protobuf and the checker raise kinds of their own
        raise GraphError(f"it is no sound ONNX graph: {' '.join(str(error).split())[:200]}") from error
    _check(model)
    return model


def _check(model: onnx.ModelProto) -> None:
    foreign = {node.domain for node in model.graph.node} - {"", "ai.onnx"}
    if foreign or model.functions:
        raise GraphError(f"it has operators that are not of the standard: {', '.join(sorted(foreign)) or 'functions'}")
    if inside := sorted({node.op_type for node in model.graph.node} - ALLOWED):
        raise GraphError(f"it has operators that are not allowed: {', '.join(inside)}")
    if any(tensor.external_data for tensor in model.graph.initializer) or model.graph.sparse_initializer:
        raise GraphError("its weights are not inside")


def finish(model: onnx.ModelProto, layer: FeatureLayer | None) -> tuple[onnx.ModelProto, FeatureLayer | None, str]:
    """Add the outputs that the head's gradients need; without a usable layer, leave only the logits and say why."""
    graph = model.graph
    reason = "it has no spatial layer"
    wanted: list[str] = []
    if layer is not None:
        layer = _resolved(graph, layer)
        try:
            wanted = Head(model, layer).wanted
        except GraphError as error:
            layer, reason = None, str(error)
    inferred = onnx.shape_inference.infer_shapes(model).graph
    known = {info.name: info for info in (*inferred.output, *inferred.value_info)}
    if unknown := [name for name in (LOGITS, *wanted) if name not in known]:
        raise GraphError(f"the shape of its value {unknown[0]} cannot be told")
    del graph.output[:]
    graph.output.extend(known[name] for name in (LOGITS, *wanted))
    _drop_unused(graph)
    return model, layer, "" if layer else reason


def _resolved(graph: onnx.GraphProto, layer: FeatureLayer) -> FeatureLayer:
    """Look through transposes and copies behind which the framework names its features."""
    made = {output: node for node in graph.node for output in node.output}
    value, order = layer.value, list(layer.order)
    while (node := made.get(value)) is not None and node.op_type in ("Identity", "Transpose"):
        if node.op_type == "Transpose":
            turned = list(_attributes(node)["perm"])
            order = [turned[place] for place in order]
        value = node.input[0]
    return FeatureLayer(value, tuple(order), layer.layout)


def _drop_unused(graph: onnx.GraphProto) -> None:
    """Remove nodes and weights that no output needs."""
    made = {output: node for node in graph.node for output in node.output}
    needed: set[str] = set()
    waiting = [output.name for output in graph.output]
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed.add(name)
            waiting += list(made[name].input) if name in made else []
    nodes = [node for node in graph.node if needed & set(node.output)]
    weights = [tensor for tensor in graph.initializer if tensor.name in needed]
    del graph.node[:], graph.initializer[:], graph.value_info[:]
    graph.node.extend(nodes)
    graph.initializer.extend(weights)


class Head:
    """The part of a graph behind its features; its gradients are those of the logits with respect to the features.

    `wanted` names the values of a run that they need. Raises GraphError where a path leads around them, or where an
    operator behind it has no vector-Jacobian product here.
    """

    def __init__(self, model: onnx.ModelProto, layer: FeatureLayer) -> None:
        graph = model.graph
        self.layer = layer
        behind, free = _reached(graph, {layer.value}), _reached(graph, {PICTURE}, stop=layer.value)
        if LOGITS not in behind:
            raise GraphError("the logits do not depend on its spatial layer")
        if LOGITS in free:
            raise GraphError("another path leads around its spatial layer")
        before = _needed(graph, LOGITS)
        path = [node for node in graph.node if set(node.output) & (behind - {layer.value}) & before]
        self._nodes = [Node(node.op_type, node.input, node.output, _attributes(node)) for node in path]
        self._behind = behind
        used = {name for node in self._nodes for name in _used(node)}
        self._constants = {
            tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer if tensor.name in used
        } | {
            node.output[0]: numpy_helper.to_array(node.attribute[0].t)
            for node in graph.node
            if node.op_type == "Constant" and node.output[0] in used and node.attribute[0].HasField("t")
        }
        for node in self._nodes:
            self._require(node, model)
        self.wanted = [layer.value, *sorted(used - set(self._constants) - {layer.value, LOGITS})]
        self.bytes = sum(constant.nbytes for constant in self._constants.values())

    def _require(self, node: Node, model: onnx.ModelProto) -> None:
        if node.kind not in PRODUCTS:
            raise GraphError(f"behind its spatial layer stands an operator {node.kind}")
        if node.kind == "Conv":
            weights = self._constants.get(node.inputs[1])
            plain = weights is not None and weights.shape[2:] == (1, 1) and node.get("group", 1) == 1
            if not plain or any(stride != 1 for stride in node.get("strides", [1])) or any(node.get("pads", [0])):
                raise GraphError("behind its spatial layer stands a convolution over space")
        if node.kind in POOLS and tuple(node.get("kernel_shape", ())) != _sides(model, node.inputs[0]):
            raise GraphError(f"behind its spatial layer stands a {node.kind} that leaves a grid")
        if node.kind not in OF_TWO and any(name in self._behind for name in node.inputs[1:]):
            raise GraphError(f"behind its spatial layer an operator {node.kind} takes two computed values")

    def features(self, values: Values) -> Floats:
        """Return the features, (N, rows, columns, K)."""
        return self.layer.layout.grid(np.asarray(values[self.layer.value]).transpose(self.layer.order))

    def gradients(self, values: Values, classes: Sequence[int]) -> Floats:
        """Return the gradients of the logits of `classes`, (C, N, rows, columns, K)."""
        everything: dict[str, Any] = {**self._constants, **values}
        logits = everything[LOGITS]
        seed = np.zeros((len(classes), *logits.shape), np.float32)
        for place, position in enumerate(classes):
            seed[place, :, position] = 1
        found: dict[str, Any] = {LOGITS: seed}
        for node in reversed(self._nodes):
            cotangent = _of_outputs(node, found, everything, len(classes))
            for name, back in zip(node.inputs, PRODUCTS[node.kind](node, cotangent, everything), strict=True):
                if back is not None and name in self._behind:
                    found[name] = found[name] + back if name in found else back
        back = np.asarray(found[self.layer.value]).transpose(0, *(place + 1 for place in self.layer.order))
        return self.layer.layout.grid(back)

    def chunk(self, values: Values) -> int:
        """How many classes' gradients are taken at once, so that they stay small."""
        return max(1, CHUNK_BYTES // max(1, np.asarray(values[self.layer.value]).nbytes))


def _sides(model: onnx.ModelProto, value: str) -> tuple[int, ...]:
    """Return rows and columns of a value (N, K, rows, columns), as far as they can be told."""
    graph = onnx.shape_inference.infer_shapes(model).graph
    for info in (*graph.value_info, *graph.output):
        if info.name == value:
            return tuple(side.dim_value for side in info.type.tensor_type.shape.dim[2:])
    return ()


def _used(node: Node) -> Sequence[str]:
    """The values that the product of an operator looks at: those that only change a shape need no second input."""
    inputs = node.inputs[:1] if node.kind in SHAPING else node.inputs
    return [name for name in (*inputs, *node.outputs) if name]


def _of_outputs(node: Node, found: dict[str, Any], values: Values, classes: int) -> Floats:
    """Take the cotangent of an operator's output out of `found`; the parts of a split are put together."""
    parts = [
        found.pop(name, None) if name in found else np.zeros((classes, *np.shape(values[name])), np.float32)
        for name in node.outputs
    ]
    return np.concatenate(parts, axis=node.get("axis", 0) % (parts[0].ndim - 1) + 1) if len(parts) > 1 else parts[0]


def _reached(graph: onnx.GraphProto, starts: set[str], stop: str = "") -> set[str]:
    """Return the values that depend on the starts, without those that do so only through `stop`."""
    reached = set(starts)
    for node in graph.node:  # in the order of a run
        if node.op_type not in OF_SHAPES and reached & set(node.input):
            reached |= {output for output in node.output if output and output != stop}
    return reached


def _needed(graph: onnx.GraphProto, end: str) -> set[str]:
    needed = {end}
    for node in reversed(graph.node):
        if needed & set(node.output):
            needed |= set(node.input)
    return needed


def _attributes(node: onnx.NodeProto) -> Mapping[str, Any]:
    return {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
