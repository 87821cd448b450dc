"""A real bundle, so small that it answers at once: one convolution, its mean, a linear layer; without any framework."""

from typing import Any

import numpy as np

from classifier.inference import bundle
from classifier.inference.graph import graph as graphs
from classifier.inference.maps.layouts import FIRST, TOKENS, Layout
from classifier.models import ModelRecord
from tests.factories.rows import SEVEN, make_model
from tests.manifests import complete

SIDE = 32


def small_model(
    name: str = "Small",
    *,
    layered: bool = True,
    tokens: str = "",
    scale: float = 1,
    rooted: bool = False,
    **fields: Any,
) -> ModelRecord:
    """Register a model of seven classes with its bundle; `scale` multiplies the weights of its last layer.

    `rooted`: the linear layer reads square roots, one of them of a channel that is always 0, where a root's slope is
    infinite.
    `tokens`, "plain" or "normed": its grid is a row of tokens, as a transformer has them.
    """
    given = {"framework": "torch", "classes": list(SEVEN), "input": {"width": SIDE, "height": SIDE}, "output": "logits"}
    manifest = complete(**given)
    model = make_model(
        name, framework="torch", engine="onnxruntime", manifest=manifest.model_dump(mode="json"), **fields
    )
    folder = model.bundle_path
    folder.mkdir(parents=True, exist_ok=True)
    sha256 = bundle.write(folder, manifest=manifest, network={}, tensors={"w": np.zeros(1, np.float32)})
    ModelRecord.objects.filter(pk=model.pk).update(sha256=sha256)
    content, feature_layer = graph(layered=layered, tokens=tokens, scale=scale, rooted=rooted)
    (folder / "graph").write_bytes(content)
    bundle.add_proven(folder, layer="conv" if layered else "", graph=folder / "graph", feature_layer=feature_layer)
    return ModelRecord.objects.get(pk=model.pk)


def graph(
    *, layered: bool = True, tokens: str = "", scale: float = 1, rooted: bool = False
) -> tuple[bytes, dict[str, Any] | None]:
    from onnx import TensorProto, helper, numpy_helper

    random = np.random.default_rng(5)
    weights = {
        "kernel": random.normal(size=(6, 3, 8, 8)) / 8,
        "linear": random.normal(size=(len(SEVEN), 6)) * scale,
        "shift": random.normal(size=len(SEVEN)),
        "ones": np.ones(6),
    }
    nodes = [
        helper.make_node("Conv", ["picture", "kernel"], ["convolved"], strides=[8, 8], kernel_shape=[8, 8]),
        helper.make_node("Relu", ["convolved"], ["spatial"]),
        helper.make_node("GlobalAveragePool", ["spatial"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("Gemm", ["flat", "linear", "shift"], ["logits"], transB=1),
    ]
    layout = Layout(FIRST, 4, 4)
    if rooted:
        weights["kernel"][0] = 0
        nodes[4:] = [
            helper.make_node("Sqrt", ["flat"], ["roots"]),
            helper.make_node("Gemm", ["roots", "linear", "shift"], ["logits"], transB=1),
        ]
    if tokens:
        shape = numpy_helper.from_array(np.array([0, 6, 16], np.int64), "shape")
        nodes[2:4] = [
            helper.make_node("Reshape", ["spatial", "shape"], ["channels"]),
            helper.make_node("Transpose", ["channels"], ["tokens"], perm=[0, 2, 1]),
            helper.make_node("Relu", ["tokens"], ["kept"]),
            helper.make_node("LayerNormalization", ["kept", "ones"], ["normed"], axis=-1, epsilon=1e-12),
            helper.make_node(
                "ReduceMean", ["normed" if tokens == "normed" else "kept"], ["flat"], axes=[1], keepdims=0
            ),
        ]
        layout = Layout(TOKENS, 4, 4)
    tensors = [numpy_helper.from_array(value.astype(np.float32), name) for name, value in weights.items()]
    picture = helper.make_tensor_value_info("picture", TensorProto.FLOAT, ["N", 3, SIDE, SIDE])
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", len(SEVEN)])
    made = helper.make_graph(nodes, "small", [picture], [logits], [*tensors, *([shape] if tokens else [])])
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", graphs.OPSET)], ir_version=8)
    order = (0, 1, 2) if tokens else (0, 1, 2, 3)
    wanted = graphs.FeatureLayer("kept" if tokens else "spatial", order, layout) if layered else None
    finished, feature_layer, reason = graphs.finish(model, wanted)
    assert not layered or feature_layer is not None, reason
    return finished.SerializeToString(), feature_layer and feature_layer.to_json()
