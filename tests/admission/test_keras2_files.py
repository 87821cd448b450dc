"""Files of Keras 2 answer in Keras 3 as they did: each known break has a file, and NumPy says what is right."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from classifier.admission.admit import admit
from tests.admission import keras2
from tests.admission.keras2 import Weights, ended, function, functional, image, layer, numbers, write
from tests.conftest import InProcess

Floats = NDArray[np.float32]
PICTURES = numbers(3, 4, 4, 3)
REFERENCE = ["image", 0, 0]


@pytest.fixture
def upload(tmp_path: Path) -> Path:
    return tmp_path / "upload.h5"


def conv(name: str, before: str, filters: int = 3, **options: Any) -> dict[str, Any]:
    plain = {"filters": filters, "kernel_size": [1, 1], "strides": [1, 1], "padding": "valid", "use_bias": True}
    return layer("Conv2D", name, before, **plain, groups=1, data_format="channels_last", **options)


def conv_weights(name: str, inputs: int = 3, filters: int = 3) -> list[tuple[str, Floats]]:
    return [(f"{name}/kernel:0", numbers(1, 1, inputs, filters)), (f"{name}/bias:0", numbers(filters))]


def mean(values: Floats) -> Floats:
    return np.asarray(values.mean(axis=(1, 2)))


def check(
    in_keras: InProcess, upload: Path, config: dict[str, Any], weights: Weights, wanted: Floats, **options: Any
) -> list[str]:
    """Compare the answers for PICTURES, and return the report's lines."""
    write(upload, config, weights, **options)
    found, lines, _facts = in_keras(keras2.answer, upload, {}, PICTURES)
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5)
    return list(lines)


def test_convolutions_lose_a_keyword(in_keras: InProcess, upload: Path) -> None:
    shape = {"kernel_size": [1, 1], "strides": [1, 1], "padding": "valid", "use_bias": False, "groups": 1}
    filled = {"kernel_initializer": {"class_name": "GlorotUniform", "config": {"seed": None}}}
    config = ended(
        layer("DepthwiseConv2D", "deep", "image", **shape, depth_multiplier=1),
        layer("SeparableConv2D", "apart", "deep", **shape, filters=2, **filled),
        layer("Conv2DTranspose", "back", "apart", **shape, filters=3, **filled),
    )
    deep, wide, point, back = numbers(1, 1, 3, 1), numbers(1, 1, 3, 1), numbers(1, 1, 3, 2), numbers(1, 1, 3, 2)
    weights = {
        "deep": [("deep/depthwise_kernel:0", deep)],
        "apart": [("apart/depthwise_kernel:0", wide), ("apart/pointwise_kernel:0", point)],
        "back": [("back/kernel:0", back)],
    }
    wanted = PICTURES * deep[0, 0, :, 0] * wide[0, 0, :, 0] @ point[0, 0] @ back[0, 0].T
    lines = check(in_keras, upload, config, weights, mean(wanted))
    assert "SeparableConv2D has no groups in Keras 3 (1 layers)" in lines


def normal(name: str) -> tuple[list[tuple[str, Floats]], Any]:
    """A batch normalisation's weights, and what it does."""
    gamma, beta, middle, variance = numbers(3), numbers(3), numbers(3), numbers(3)
    parts = zip(("gamma", "beta", "moving_mean", "moving_variance"), (gamma, beta, middle, variance), strict=True)
    named = [(f"{name}/{part}:0", array) for part, array in parts]
    return named, lambda values: (values - middle) / np.sqrt(variance + 1e-3) * gamma + beta


def test_normalisation_keeps_its_place_when_part_of_a_model_was_frozen(in_keras: InProcess, upload: Path) -> None:
    """Keras 2 writes an inner model's trained weights first: by order, these two would change places."""
    names = ["frozen", "trained"]
    (first, do_first), (second, do_second) = normal(names[0]), normal(names[1])
    options = {"axis": [3], "epsilon": 1e-3, "fused": True}
    inner = functional(
        image(),
        layer("BatchNormalization", "frozen", "image", **options, momentum=0.9),
        layer("BatchNormalization", "trained", "frozen", **options, momentum=0.9),
        name="base",
    )
    base = inner | {"name": "base", "inbound_nodes": [[["picture", 0, 0, {"training": False}]]]}
    picture = layer("InputLayer", "picture", batch_input_shape=[None, 4, 4, 3])
    config = functional(picture, base, layer("GlobalAveragePooling2D", "gap", ["base", 1, 0, {}]))
    order = second[:2] + first[:2] + second[2:] + first[2:]
    lines = check(in_keras, upload, config, {"base": order}, mean(do_second(do_first(PICTURES))))
    assert "8 arrays placed by name, none left over" in lines


def test_names_of_another_session_are_no_trap(in_keras: InProcess, upload: Path) -> None:
    """A model that was loaded twice in one session has weights of other numbers than its layers: their order counts."""
    (first, do_first), (second, do_second) = normal("bn_3"), normal("bn_4")
    inner = functional(
        image(),
        layer("BatchNormalization", "bn_1", "image", axis=[3], epsilon=1e-3),
        layer("BatchNormalization", "bn_2", "bn_1", axis=[3], epsilon=1e-3),
        name="base",
    )
    base = inner | {"name": "base", "inbound_nodes": [[["picture", 0, 0, {}]]]}
    picture = layer("InputLayer", "picture", batch_input_shape=[None, 4, 4, 3])
    config = functional(picture, base, layer("GlobalAveragePooling2D", "gap", ["base", 1, 0, {}]))
    order = first[:2] + second[:2] + first[2:] + second[2:]
    lines = check(in_keras, upload, config, {"base": order}, mean(do_second(do_first(PICTURES))))
    assert "8 arrays placed by name, none left over" in lines


def test_names_with_slashes_and_a_policy_object(in_keras: InProcess, upload: Path) -> None:
    policy = {"class_name": "Policy", "config": {"name": "mixed_float16"}}
    weights = {"block/conv": conv_weights("block/conv"), "block/conv/two": conv_weights("block/conv/two")}
    config = ended(conv("block/conv", "image", dtype=policy), conv("block/conv/two", "block/conv"))
    (kernel, bias), (kernel2, bias2) = ([array for _name, array in pair] for pair in weights.values())
    wanted = (PICTURES @ kernel[0, 0] + bias) @ kernel2[0, 0] + bias2
    lines = check(in_keras, upload, config, weights, mean(wanted))
    assert "precision mixed_float16 was set to float32 (1 layers)" in lines


def test_arithmetic_becomes_layers(in_keras: InProcess, upload: Path) -> None:
    backwards = [{"class_name": "__ellipsis__"}, {"start": None, "stop": None, "step": -1}]
    turned = function("tf.__operators__.getitem", "__operators__.getitem", "tf.math.subtract", slice_spec=backwards)
    config = ended(
        function("tf.cast", "cast", "image", dtype="float32"),
        function("tf.math.truediv", "math.truediv", "tf.cast", y=127.5, name=None),
        function("tf.math.subtract", "math.subtract", "tf.math.truediv", y=[0.1, 0.2, 0.3]),
        turned | {"class_name": "SlicingOpLambda"},
        function("tf.nn.bias_add", "nn.bias_add", "tf.__operators__.getitem", bias=[1.0, 2.0, 3.0]),
        function("tf.math.multiply", "math.multiply", ["_CONSTANT_VALUE", -1, 0.5], y=["tf.nn.bias_add", 0, 0]),
        function("tf.math.sigmoid", "math.sigmoid", "tf.math.multiply"),
        function("tf.math.multiply_1", "math.multiply", "tf.math.sigmoid", y=["tf.math.multiply", 0, 0]),
        function("tf.math.subtract_1", "math.subtract", ["_CONSTANT_VALUE", -1, 1.0], y=["tf.math.multiply_1", 0, 0]),
    )
    half = 0.5 * ((PICTURES / 127.5 - [0.1, 0.2, 0.3])[..., ::-1] + [1, 2, 3])
    lines = check(in_keras, upload, config, {}, mean(1 - half / (1 + np.exp(-half))))
    assert "TensorFlow functions are layers of Keras 3 (9 layers)" in lines


def test_operations_of_the_graph_become_layers(in_keras: InProcess, upload: Path) -> None:
    def node(kind: str, before: list[str], constants: dict[str, Any], **attributes: Any) -> dict[str, Any]:
        inner = {"node_def": {"op": kind, "attr": attributes}, "constants": constants}
        return layer("TensorFlowOpLayer", f"tf_op_layer_{kind}", *before, **inner)

    masks = {"ellipsis_mask": {"i": "1"}, "begin_mask": {"i": "2"}, "end_mask": {"i": "2"}}
    config = ended(
        node("RealDiv", ["image"], {"1": 2.0}),
        node("Sub", ["tf_op_layer_RealDiv"], {"0": 3.0}),
        node("StridedSlice", ["tf_op_layer_Sub"], {"1": [0, 0], "2": [0, 0], "3": [1, -1]}, **masks),
        node("Mul", ["tf_op_layer_StridedSlice", "tf_op_layer_Sub"], {}),
    )
    left = 3 - PICTURES / 2
    check(in_keras, upload, config, {}, mean(left[..., ::-1] * left), version="2.3.0-tf")


def test_hard_sigmoid_is_that_of_keras_2(in_keras: InProcess, upload: Path) -> None:
    weights = {"first": conv_weights("first")}
    config = ended(conv("first", "image", activation="hard_sigmoid"), conv("second", "first"))
    weights["second"] = conv_weights("second")
    (kernel, bias), (kernel2, bias2) = ([array for _name, array in pair] for pair in weights.values())
    inner = np.clip(0.2 * (PICTURES @ kernel[0, 0] + bias) + 0.5, 0, 1)
    check(in_keras, upload, config, weights, mean(inner @ kernel2[0, 0] + bias2))


def test_known_layers_of_others_are_mapped(in_keras: InProcess, upload: Path) -> None:
    config = ended(
        layer("FixedDropout", "fixed", "image", rate=0.2, noise_shape=[None, 1, 1, 1]),
        layer("RandomFlip", "flip", "fixed", mode="horizontal", seed=None),
        layer("Activation", "swish", "flip", activation="swish"),
        layer("LayerScale", "scale", "swish", init_values=1e-6, projection_dim=3),
        layer("CustomScaleLayer", "sum", "swish", "scale", scale=0.17),
        layer("Lambda", "block35_1", "sum", "swish", function=["", None, None], arguments={"scale": 0.2}),
        layer("ThresholdedReLU", "above", "block35_1", theta=0.5),
    )
    gamma = numbers(3)
    weights: Weights = {"flip": [("flip/StateVar:0", np.arange(3))], "scale": [("scale/gamma:0", gamma)]}
    swish = PICTURES / (1 + np.exp(-PICTURES))
    total = swish + 0.17 * swish * gamma + 0.2 * swish
    check(in_keras, upload, config, weights, mean(np.where(total > 0.5, total, 0)))


def test_normalization_drops_its_counter_and_says_what_it_expects(in_keras: InProcess, upload: Path) -> None:
    middle, variance = numbers(3) * 100, numbers(3) * 1000
    normal = layer("Normalization", "normal", "image", axis=[-1], batch_input_shape=[None, None, None, None])
    named = [("mean:0", middle), ("variance:0", variance), ("count:0", np.int64(9))]
    wanted = mean((PICTURES - middle) / np.sqrt(variance))
    lines = check(in_keras, upload, ended(normal), {"normal": named}, wanted)
    assert "3 arrays placed by name, none left over" in lines


@pytest.mark.parametrize(
    ("layers", "scales", "values"),
    [
        ([function("div", "math.truediv", "image", y=127.5), function("sub", "math.subtract", "div", y=1.0)], 2, 255),
        ([layer("Rescaling", "double", "image", scale=2.0, offset=-1.0)], 1, 1),
        ([layer("Rescaling", "caffe", "image", scale=1.0, offset=[-103.9, -116.8, -123.7])], 1, 255),
        ([conv("first", "image"), layer("Rescaling", "later", "first", scale=0.17, offset=0.0)], 0, 255),
    ],
)
def test_scaling_at_the_input_tells_the_range(
    in_keras: InProcess, upload: Path, layers: list[dict[str, Any]], scales: int, values: int
) -> None:
    write(upload, ended(*layers), {"first": conv_weights("first")} if layers[0]["name"] == "first" else {})
    _found, _lines, facts = in_keras(keras2.answer, upload, {}, PICTURES)
    assert (len(facts["scales"]), facts["range"]) == (scales, (0, values))


def test_sequentials_of_every_age(in_keras: InProcess, upload: Path) -> None:
    """A bare list in Keras 2.2, the input's shape in the first layer."""
    layers = [conv("first", ""), layer("GlobalAveragePooling2D", "gap")]
    layers[0]["config"]["batch_input_shape"] = [None, 4, 4, 3]
    for part in layers:
        del part["inbound_nodes"], part["name"]
    weights = {"first": conv_weights("first")}
    (_name, kernel), (_other, bias) = weights["first"]
    config = {"class_name": "Sequential", "config": layers}
    check(in_keras, upload, config, weights, mean(PICTURES @ kernel[0, 0] + bias), version="2.2.2")


@pytest.mark.usefixtures("keras_children")
def test_a_whole_admission(upload: Path) -> None:
    """A nested old file passes both children, and the second answers as the first."""
    weights = {"first": conv_weights("first"), "scores": [("scores/kernel:0", numbers(3, 2) - 0.6)]}
    config = functional(
        image(8),
        function("tf.math.truediv", "math.truediv", "image", y=255.0),
        conv("first", "tf.math.truediv", activation="hard_sigmoid"),
        layer("GlobalAveragePooling2D", "gap", "first"),
        layer("Dense", "scores", "gap", units=2, activation="softmax", use_bias=False),
    )
    write(upload, config, weights)
    result = admit(upload=upload, manifest={"classes": ["nv", "mel"]}, into=upload.parent / "bundles")
    assert result.accepted, result.error
    assert result.manifest is not None
    assert result.manifest["input"]["range"] == [0, 255]
    assert any("written by Keras 2.4.0" in check.detail for check in result.report)
