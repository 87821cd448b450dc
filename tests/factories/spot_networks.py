"""Small networks as bundles with a graph: no framework is needed to write them or to let them answer."""

from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from classifier.inference import bundle
from classifier.inference.graph.graph import FEATURES, LOGITS, OPSET, PICTURE, FeatureLayer, finish, parse
from classifier.inference.input.manifest import Manifest
from classifier.inference.maps.layouts import FIRST, Layout
from classifier.models import ModelRecord
from tests.factories.rows import SEVEN, make_model
from tests.manifests import complete

SIDE, GRID, CHANNELS = 48, 6, 8


def manifest() -> dict[str, Any]:
    names = [{"code": code, "name": code.upper(), "malignant": None} for code in SEVEN]
    given = {"framework": "torch", "classes": names, "input": {"width": SIDE, "height": SIDE, "range": [-1, 1]}}
    return complete(**given, name="Small", output="softmax").model_dump(mode="json")


def graph(*, sees_darkness: bool) -> bytes:
    """Two convolutions, a mean and a dense layer with random weights.

    The first class hangs on a channel of darkness, as lesions are dark, or else on one of brightness.
    """
    rng = np.random.default_rng(4)
    first = rng.normal(0, 0.05, (CHANNELS, 3, 8, 8)).astype(np.float32)
    second = rng.normal(0, 0.3, (CHANNELS, CHANNELS, 1, 1)).astype(np.float32)
    dense = rng.normal(0, 0.2, (len(SEVEN), CHANNELS)).astype(np.float32)
    biases = [np.zeros(size, np.float32) for size in (CHANNELS, CHANNELS, len(SEVEN))]
    first[0], biases[0][0] = (-1 / 64, 0.2) if sees_darkness else (1 / 64, -0.2)
    second[0], dense[0], biases[2][0] = np.eye(CHANNELS)[0, :, None, None], 5 * np.eye(CHANNELS)[0], 3
    weights = {"w1": first, "b1": biases[0], "w2": second, "b2": biases[1], "w3": dense, "b3": biases[2]}
    nodes = [
        helper.make_node("Conv", [PICTURE, "w1", "b1"], ["a"], strides=[8, 8], kernel_shape=[8, 8]),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("Conv", ["b", "w2", "b2"], ["c"], kernel_shape=[1, 1]),
        helper.make_node("Relu", ["c"], [FEATURES]),
        helper.make_node("GlobalAveragePool", [FEATURES], ["d"]),
        helper.make_node("Flatten", ["d"], ["e"]),
        helper.make_node("Gemm", ["e", "w3", "b3"], [LOGITS], transB=1),
    ]
    picture = helper.make_tensor_value_info(PICTURE, TensorProto.FLOAT, ["n", 3, SIDE, SIDE])
    logits = helper.make_tensor_value_info(LOGITS, TensorProto.FLOAT, ["n", len(SEVEN)])
    made = helper.make_graph(
        nodes, "small", [picture], [logits], [numpy_helper.from_array(value, name) for name, value in weights.items()]
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    return bytes(finish(model, feature_layer())[0].SerializeToString())


def feature_layer() -> FeatureLayer:
    return FeatureLayer(FEATURES, (0, 1, 2, 3), Layout(FIRST, GRID, GRID))


def write_bundle(folder: Path, *, sees_darkness: bool = True) -> str:
    """Write the bundle into a folder that exists and return its weights' SHA-256."""
    content = graph(sees_darkness=sees_darkness)
    tensors = {tensor.name: numpy_helper.to_array(tensor) for tensor in parse(content).graph.initializer}
    digest = bundle.write(folder, manifest=Manifest.model_validate(manifest()), network={}, tensors=tensors)
    (folder / "graph").write_bytes(content)
    bundle.add_proven(folder, layer=FEATURES, graph=folder / "graph", feature_layer=feature_layer().to_json())
    return digest


def make_small_model(name: str = "Small", *, sees_darkness: bool = True) -> ModelRecord:
    """Return a ready record whose bundle really answers."""
    facts = {"layer": FEATURES, "engine": "onnxruntime", "measured": {"predict_ms": 10.0}}
    record = make_model(name, manifest=manifest(), framework="torch", **facts)
    record.bundle_path.mkdir(parents=True, exist_ok=True)
    digest = write_bundle(record.bundle_path, sees_darkness=sees_darkness)
    ModelRecord.objects.filter(pk=record.pk).update(sha256=digest)
    return ModelRecord.objects.get(pk=record.pk)
