"""The graph of a network answers as its framework does, and its maps are those of the framework's own gradients."""

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from classifier.inference import bundle
from classifier.inference.input.manifest import Manifest
from classifier.inference.maps import methods
from tests.manifests import complete

SIDE = 32
ROOT = Path(__file__).parents[2]


def manifest_of(framework: str, side: int = SIDE, **input: Any) -> Manifest:
    names = [{"code": f"c{number}", "name": f"Class {number}", "malignant": None} for number in range(3)]
    given = {"framework": framework, "classes": names, "input": {"width": side, "height": side, **input}}
    return complete(**(given | {"output": "logits"}))


def compared(native: Any, vectors: Any = None) -> dict[str, Any]:
    """Export a loaded classifier, and return how far its graph's answers and maps are from it."""
    from classifier.admission.stages import export_onnx
    from classifier.inference.classifier import load

    content, feature_layer, reason = export_onnx.export(native)
    described = feature_layer and feature_layer.to_json()
    with tempfile.TemporaryDirectory() as folder:
        own = bundle.Bundle(Path(folder), native.manifest, {}, native.layer, "", {}, bundle.Graph(content, described))
        graph = load(own)
        spec = native.manifest.input
        pictures = np.random.default_rng(2).normal(size=(2, spec.height, spec.width, 3)).astype(np.float32)
        found: dict[str, Any] = {"cut": feature_layer is not None, "reason": reason, "layer": native.layer, "maps": {}}
        for name in methods.names():
            if feature_layer is None:
                break
            ours, theirs = (each.output(pictures, vectors, methods.method(name)) for each in (graph, native))
            size = float(np.abs(theirs.maps).max())
            found["maps"][name] = [float(np.abs(ours.maps - theirs.maps).max()) / size, list(ours.maps.shape)]
        ours, theirs = (each.output(pictures, vectors).logits for each in (graph, native))
    return found | {"logits": float(np.abs(ours - theirs).max()), "engine": graph.engine}


def torch_native(network: Any, side: int = SIDE) -> Any:
    from classifier.inference.networks.torch import TorchClassifier
    from classifier.inference.networks.torch_layers import spatial_layers

    native = TorchClassifier.__new__(TorchClassifier)
    native.network, native.manifest = network.eval().requires_grad_(False), manifest_of("torch", side)
    native.layer, native.layout = list(spatial_layers(native.network, side, side).items())[-1]
    return native


def torch_heads() -> dict[str, Any]:
    import torch
    from torch import nn

    class Excited(nn.Module):
        """Squeeze and excitation, and an average, after the last convolution."""

        def __init__(self) -> None:
            super().__init__()
            self.trunk = nn.Conv2d(3, 8, 3, stride=4)
            self.gate = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(8, 8, 1), nn.Sigmoid())
            self.head = nn.Linear(8, 3)

        def forward(self, x: Any) -> Any:
            features = self.trunk(x)
            return self.head((features * self.gate(features)).mean(dim=(2, 3)))

    class Bypassed(nn.Module):
        """The logits also take the mean colour, around the features."""

        def __init__(self) -> None:
            super().__init__()
            self.trunk, self.head = nn.Conv2d(3, 8, 3, stride=4), nn.Linear(11, 3)

        def forward(self, x: Any) -> Any:
            return self.head(torch.cat([self.trunk(x).mean(dim=(2, 3)), x.mean(dim=(2, 3))], dim=1))

    torch.manual_seed(0)
    trunk = [nn.Conv2d(3, 8, 3, stride=4), nn.ReLU(inplace=True)]
    normal = nn.BatchNorm1d(16)
    nn.init.uniform_(normal.running_mean)
    nn.init.uniform_(normal.running_var, 0.5, 2)
    heads = {
        "pooled and linear": nn.Sequential(*trunk, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 3)),
        "highest": nn.Sequential(*trunk, nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(8, 3)),
        "two dense layers": nn.Sequential(
            *(*trunk, nn.Flatten(), nn.Linear(512, 16), nn.ReLU(inplace=True), normal),
            *(nn.Dropout(0.5), nn.Linear(16, 12), nn.SiLU(), nn.Linear(12, 9), nn.GELU(), nn.Linear(9, 3)),
        ),
        "gates": nn.Sequential(
            *(*trunk, nn.Flatten(), nn.Linear(512, 16), nn.Tanh(), nn.LayerNorm(16), nn.LeakyReLU(), nn.Hardswish()),
            *(nn.Linear(16, 8), nn.Hardsigmoid(), nn.ELU(), nn.Softplus(), nn.ReLU6(), nn.Linear(8, 3)),
        ),
        "excited": Excited(),
    }
    return {name: compared(torch_native(network)) for name, network in heads.items()} | {
        "bypassed": compared(torch_native(Bypassed())),
        "transformer": compared(torch_native(_transformer(), 64)),
    }


def _transformer() -> Any:
    import timm
    import torch

    network = timm.create_model("vit_tiny_patch16_224", num_classes=3, img_size=64, depth=3, reg_tokens=2)
    torch.nn.init.normal_(network.head.weight, std=0.1)
    return network


def test_graphs_of_pytorch_networks_answer_and_explain_as_the_framework(in_torch):
    found = in_torch(torch_heads)
    for name, result in found.items():
        assert result["engine"] == "onnxruntime", name
        assert result["logits"] < 1e-4, name
        if name == "bypassed":
            continue
        assert result["cut"], f"{name}: {result['reason']}"
        for method, (difference, shape) in result["maps"].items():
            if (name, method) != ("transformer", "hirescam"):  # nothing but rounding: a norm takes the size away
                assert difference <= 1e-4, f"{name}, {method}"
            assert shape == ([2, 3, 4, 4] if name == "transformer" else [2, 3, 8, 8]), name
    assert found["transformer"]["layer"] == "blocks.1"


def test_features_that_another_path_leads_around_are_no_cut(in_torch):
    bypassed = in_torch(torch_heads)["bypassed"]
    assert not bypassed["cut"]
    assert "another path" in bypassed["reason"]


def keras_heads() -> dict[str, Any]:
    import keras

    from classifier.inference.networks import keras as keras_network

    layers = keras.layers

    def native(model: Any, **input: Any) -> Any:
        with tempfile.TemporaryDirectory() as folder:
            bundle.write(
                Path(folder),
                manifest=manifest_of("keras", **input),
                network=keras.saving.serialize_keras_object(model),
                tensors=keras_network.dump(model),
            )
            return keras_network.KerasClassifier(bundle.read(Path(folder)))

    keras.utils.set_random_seed(0)
    picture, numbers = keras.Input((SIDE, SIDE, 3)), keras.Input((10,))
    scaled = layers.Normalization(mean=[0.1, 0.2, 0.3], variance=[1, 2, 3])(picture)
    trunk = layers.SeparableConv2D(8, 3, strides=4, activation="relu")(scaled)
    average, highest = layers.GlobalAveragePooling2D()(trunk), layers.GlobalMaxPooling2D()(trunk)
    both = layers.Concatenate()([average, layers.BatchNormalization()(layers.Dense(4, "relu")(numbers))])
    flat = layers.Dropout(0.3)(layers.Dense(6, "tanh")(layers.Flatten()(trunk)))
    vectors = np.random.default_rng(3).normal(size=(2, 10)).astype(np.float32)
    return {
        "average": compared(native(keras.Model(picture, layers.Dense(3)(average)))),
        "highest": compared(native(keras.Model(picture, layers.Dense(3)(highest)))),
        "flat": compared(native(keras.Model(picture, layers.Dense(3)(flat)))),
        "two inputs": compared(
            native(keras.Model([picture, numbers], layers.Dense(3)(both)), clinical="sklesion"), vectors
        ),
    }


def test_graphs_of_keras_networks_answer_and_explain_as_the_framework(in_keras):
    for name, result in in_keras(keras_heads).items():
        assert result["engine"] == "onnxruntime", name
        assert result["logits"] < 1e-4, name
        assert result["cut"], f"{name}: {result['reason']}"
        for method, (difference, _shape) in result["maps"].items():
            assert difference <= 1e-4, f"{name}, {method}"


def write_with_graph(folder: Path) -> None:
    from classifier.admission.stages import export_onnx

    native = torch_native(_transformer(), 64)
    content, feature_layer, _reason = export_onnx.export(native)
    bundle.write(folder, manifest=native.manifest, network={}, tensors={"w": np.zeros(1, np.float32)})
    (folder / "graph").write_bytes(content)
    described = feature_layer and feature_layer.to_json()
    bundle.add_proven(folder, layer=native.layer, graph=folder / "graph", feature_layer=described)


ANSWER = """
import sys
from pathlib import Path
import numpy as np
from classifier.inference import bundle
from classifier.inference.classifier import load, run
from classifier.inference.input.clinical import Clinical
answer = run(load(bundle.read(Path(sys.argv[1]))), [np.zeros((64, 64, 3), np.uint8)], [Clinical()])
print(answer.maps.shape, [name for name in ("torch", "tensorflow", "timm", "django") if name in sys.modules])
"""


def test_a_graph_answers_and_explains_without_any_framework(in_torch, tmp_path):
    in_torch(write_with_graph, tmp_path)
    ran = subprocess.run(
        [sys.executable, "-c", ANSWER, str(tmp_path)], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert ran.stdout.strip() == "(1, 3, 4, 4) []"


def foreign(kind: str) -> str:
    from onnx import TensorProto, helper

    from classifier.inference.graph import graph as graphs

    tensor = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    out = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])
    operator = "RandomNormalLike" if kind == "chance" else "Relu"
    node = helper.make_node(operator, ["x"], ["y"], domain="com.hostile" if kind == "domain" else "")
    model = helper.make_model(helper.make_graph([node], "g", [tensor], [out]))
    if kind == "domain":
        model.opset_import.append(helper.make_opsetid("com.hostile", 1))
    if kind == "external":
        weight = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[1], data_location=TensorProto.EXTERNAL)
        weight.external_data.add(key="location", value="../../secret")
        model.graph.initializer.append(weight)
    content = b"\x08garbage" if kind == "garbage" else model.SerializeToString()
    try:
        graphs.parse(content)
    except graphs.GraphError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("kind", ["domain", "external", "garbage", "chance"])
def test_a_graph_with_foreign_operators_or_data_outside_is_refused(kind):
    assert foreign(kind)
    assert not foreign("sound")


def maps_of_heads() -> dict[str, dict[str, Any]]:
    """Maps by every method of one trunk with linear heads of the same weights, shifted, and as one logit."""
    import torch
    from torch import nn

    torch.manual_seed(0)
    trunk = [nn.Conv2d(3, 8, 3, stride=4), nn.ReLU(inplace=True), nn.AdaptiveMaxPool2d(1), nn.Flatten()]
    plain, one = torch.randn(3, 8), torch.randn(1, 8)
    heads = {"plain": plain, "shifted": plain + torch.randn(8), "one": one, "two": torch.cat([-one, one])}
    pictures = np.random.default_rng(2).normal(size=(2, SIDE, SIDE, 3)).astype(np.float32)
    found: dict[str, dict[str, Any]] = {}
    for name, weights in heads.items():
        head = nn.Linear(8, len(weights))
        head.weight.data = weights
        native = torch_native(nn.Sequential(*trunk, head))
        maps = {method: native.output(pictures, None, methods.method(method)).maps for method in methods.names()}
        found[name] = {method: values.tolist() for method, values in maps.items()}
    return found


def test_contrasts_say_nothing_of_a_shift_that_all_classes_share_and_plain_maps_do(in_torch):
    found = in_torch(maps_of_heads)
    for method in ("grad-cam", "hirescam"):
        plain, shifted = (np.array(found[name][method]) for name in ("plain", "shifted"))
        contrasts = [maps[:, 0] - maps[:, 1] for maps in (plain, shifted)]
        assert np.allclose(*contrasts, atol=1e-4 * np.abs(plain).max())
        assert np.abs(plain - shifted).max() > 0.1 * np.abs(plain).max()


def test_one_logit_has_the_maps_of_two_opposite_ones_by_every_method(in_torch):
    found = in_torch(maps_of_heads)
    for method in methods.names():
        assert np.allclose(found["one"][method], found["two"][method], atol=1e-5), method


def test_features_that_are_no_numbers_have_no_map_by_any_method():
    features = np.full((1, 3, 3, 4), np.inf, np.float32)
    with np.errstate(invalid="ignore"):
        for name in methods.names():
            assert not np.isfinite(methods.method(name).map(features, np.ones_like(features))).all(), name


def test_a_sound_bundle_without_a_graph_is_read_for_its_framework(tmp_path):
    bundle.write(tmp_path, manifest=manifest_of("torch"), network={}, tensors={"w": np.zeros(3, np.float32)})
    read = bundle.read(tmp_path)
    assert read.graph is None
    assert list(read.tensors) == ["w"]
    (tmp_path / "graph").write_bytes(b"graph")
    bundle.add_proven(tmp_path, layer="layer4", graph=tmp_path / "graph")
    read = bundle.read(tmp_path)
    assert read.graph == bundle.Graph(b"graph", None)
    assert read.layer == "layer4"
    assert list(bundle.read(tmp_path, native=True).tensors) == ["w"]
    (tmp_path / bundle.GRAPH).write_bytes(b"other")
    with pytest.raises(bundle.BundleError, match="not those"):
        bundle.read(tmp_path)
