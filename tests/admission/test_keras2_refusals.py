"""What of Keras 2 cannot be had exactly is refused by its name; weights alone need the manifest's network."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from tests.admission import keras2
from tests.admission.keras2 import ended, function, layer, numbers, write
from tests.conftest import InProcess

STACK = {"family": "keras-layers", "layers": [{"conv2d": 3, "kernel": 1}, {"globalavgpool2d": True}, {"dense": 2}]}
SIZE = {"width": 8, "height": 8}
MOBILE = {"family": "keras-applications", "name": "MobileNetV2", "options": {"alpha": 0.35}}
HEAD = {"pool": "avg", "layers": [{"dense": 2, "activation": "softmax"}]}


@pytest.fixture
def upload(tmp_path: Path) -> Path:
    return tmp_path / "upload.h5"


@pytest.mark.parametrize(
    ("part", "code", "name"),
    [
        (function("tf.linalg.inv", "linalg.inv", "image"), "tf-op-layer", "tf.linalg.inv"),
        (function("tf.math.pow", "math.pow", "image", y=2.0), "tf-op-layer", "tf.math.pow"),
        (function("tf.cast", "cast", "image", dtype="int32"), "tf-op-layer", "tf.cast"),
        (layer("Lambda", "block35_1", "image", function=["", None, None], arguments={"scale": 1}), "lambda-layer", "b"),
        (layer("Lambda", "twice", "image", function=["", None, None]), "lambda-layer", "twice"),
        (layer("Squash", "mine", "image"), "custom-layer", "Squash"),
        (layer("LSTM", "lstm", "image", units=3, recurrent_activation="hard_sigmoid"), "old-hard-sigmoid", "lstm"),
        (layer("GlobalAveragePooling2D", "gap2", "image", turbo=True), "cannot-rebuild", "turbo"),
    ],
)
def test_it_is_refused_by_name(in_keras: InProcess, upload: Path, part: dict[str, Any], code: str, name: str) -> None:
    found, message, _hint = in_keras(keras2.refusal, write(upload, ended(part), {}), {})
    assert (found, name in message) == (code, True), message


def test_weights_that_do_not_fit_are_refused(in_keras: InProcess, upload: Path) -> None:
    config = ended(layer("Conv2D", "conv", "image", filters=3, kernel_size=[1, 1]))
    right = [("conv/kernel:0", numbers(1, 1, 3, 3)), ("conv/bias:0", numbers(3))]
    for weights in ({}, {"conv": right[:1]}, {"conv": right, "more": [("more/kernel:0", numbers(3))]}):
        code, _message, _hint = in_keras(keras2.refusal, write(upload, config, weights), {})
        assert code == "weights-differ"
    wrong = [("conv/kernel:0", numbers(1, 1, 3, 4)), right[1]]
    assert in_keras(keras2.refusal, write(upload, config, {"conv": wrong}), {})[0] == "weights-differ"


def stack_weights() -> keras2.Weights:
    conv = [("conv2d_7/kernel:0", numbers(1, 1, 3, 3)), ("conv2d_7/bias:0", numbers(3))]
    return {"conv2d_7": conv, "dense_4": [("dense_4/kernel:0", numbers(3, 2)), ("dense_4/bias:0", numbers(2))]}


def test_weights_alone_say_what_they_are_of(in_keras: InProcess, upload: Path) -> None:
    code, message, hint = in_keras(keras2.refusal, write(upload, None, stack_weights()), {})
    assert code == "weights-only"
    assert "conv2d_7, dense_4" in message
    assert "keras-applications" in hint


def test_weights_of_a_stack_run_in_the_manifests_network(in_keras: InProcess, upload: Path) -> None:
    weights, pictures = stack_weights(), numbers(2, 8, 8, 3)
    write(upload, None, weights)
    found, _lines, _facts = in_keras(keras2.answer, upload, {"architecture": STACK, "input": SIZE}, pictures)
    (kernel, bias), (kernel2, bias2) = ([array for _name, array in pair] for pair in weights.values())
    hidden = (pictures @ kernel[0, 0] + bias).mean(axis=(1, 2))
    np.testing.assert_allclose(found, hidden @ kernel2 + bias2, rtol=1e-5)


def save_weights(path: Path, nested: bool, pictures: Any) -> Any:
    """Weights of a MobileNetV2 with a head, in the layout that the name asks for; returns its answers."""
    import keras
    from keras.src.legacy.saving import legacy_h5_format

    keras.utils.set_random_seed(3)
    base = keras.applications.MobileNetV2(weights=None, include_top=False, input_shape=(32, 32, 3), alpha=0.35)
    tail = [keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2, activation="softmax")]
    model = keras.Sequential([base, *tail])
    if not nested:
        model = keras.Model(base.input, tail[1](tail[0](base.output)))
    for weight in model.weights:
        if weight.name in ("gamma", "beta", "moving_mean", "moving_variance"):
            weight.assign(np.random.default_rng(1).uniform(0.5, 1.5, weight.shape))
    if path.name.endswith(".weights.h5"):
        model.save_weights(path)
    else:
        with h5py.File(path, "w") as file:
            legacy_h5_format.save_weights_to_hdf5_group(file, model)
    return model.predict(pictures, verbose=0)


@pytest.mark.parametrize(("name", "nested"), [("old.h5", True), ("old.h5", False), ("new.weights.h5", True)])
def test_weights_of_an_application_run_under_its_name(
    in_keras: InProcess, tmp_path: Path, name: str, nested: bool
) -> None:
    pictures = numbers(2, 32, 32, 3)
    wanted = in_keras(save_weights, tmp_path / name, nested, pictures)
    manifest = {"architecture": MOBILE | {"head": HEAD}, "input": {"width": 32, "height": 32}}
    found, _lines, _facts = in_keras(keras2.answer, tmp_path / name, manifest, pictures)
    np.testing.assert_allclose(found, wanted, atol=1e-5)


def save_alike(path: Path, pictures: Any) -> Any:
    """Weights of twelve convolutions of one shape under names of their author's own; returns their answers."""
    import keras

    keras.utils.set_random_seed(4)
    alike = [keras.layers.Conv2D(3, 3, padding="same", use_bias=bias, name=f"mine_{100 - n}") for n, bias in ALIKE]
    tail = [keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2, activation="softmax", name="out")]
    model = keras.Sequential([keras.Input((8, 8, 3)), *alike, *tail])
    generator = np.random.default_rng(1)
    for weight in model.weights:
        weight.assign(generator.uniform(-0.5, 0.5, weight.shape))
    model.save_weights(path)
    return model.predict(pictures, verbose=0)


ALIKE = [(number, number % 3 == 0) for number in range(12)]


def test_layers_alike_with_other_names_go_by_their_number(in_keras: InProcess, tmp_path: Path) -> None:
    """HDF5 lists `conv2d_10` before `conv2d_2`, and every order of these would fit."""
    pictures, path = numbers(2, 8, 8, 3), tmp_path / "alike.weights.h5"
    wanted = in_keras(save_alike, path, pictures)
    layers = [{"conv2d": 3, "padding": "same", "use_bias": bias} for _number, bias in ALIKE]
    tail = [{"globalavgpool2d": True}, {"dense": 2, "activation": "softmax"}]
    manifest = {"architecture": STACK | {"layers": [*layers, *tail]}, "input": SIZE}
    found, lines, _facts = in_keras(keras2.answer, path, manifest, pictures)
    np.testing.assert_allclose(found, wanted, atol=1e-6)
    assert "18 arrays placed by class and number, none left over" in lines


@pytest.mark.parametrize(
    ("architecture", "words"),
    [
        ({"family": "timm", "name": "resnet18"}, "none of Keras"),
        (MOBILE | {"name": "os"}, "keras.applications has no"),
        (MOBILE | {"options": {"weights": "/etc/passwd"}}, "“options” has weights"),
        ({"family": "keras-layers", "layers": [{"lambda": "x"}]}, "known are"),
        (STACK | {"layers": [*STACK["layers"], {"dense": 3}]}, "weights"),
    ],
)
def test_a_wrong_network_is_explained(in_keras: InProcess, upload: Path, architecture: dict, words: str) -> None:
    write(upload, None, stack_weights())
    _code, message, hint = in_keras(keras2.refusal, upload, {"architecture": architecture, "input": SIZE})
    assert words in message
    assert hint


def test_hdf5_that_is_no_model_says_what_it_holds(in_keras: InProcess, upload: Path) -> None:
    with h5py.File(upload, "w") as file:
        file["x_train"] = numbers(2, 4, 4, 3)
    code, message, _hint = in_keras(keras2.refusal, upload, {})
    assert code == "no-model"
    assert "x_train" in message


def write_odd(path: Path, kind: str) -> None:
    """HDF5 that has the attributes of a Keras file with something else in them."""
    with h5py.File(path, "w") as file:
        if kind == "number":
            file.attrs["layer_names"] = 5
        elif kind == "weights are an array":
            file.attrs["model_config"] = '{"class_name": "Sequential", "config": {"name": "a", "layers": []}}'
            file["model_weights"] = numbers(3)
        else:
            file.attrs["layer_names"] = [b"a", b"b"]
            file["a"] = numbers(3)
            file.create_group("b")


@pytest.mark.parametrize(
    ("kind", "code"),
    [("number", "damaged"), ("weights are an array", "damaged"), ("layer is an array", "weights-only")],
)
def test_odd_names_of_layers_are_refused(in_keras: InProcess, upload: Path, kind: str, code: str) -> None:
    write_odd(upload, kind)
    found, message, _hint = in_keras(keras2.refusal, upload, {})
    assert found == code
    assert "layer" in message or "model_weights" in message
    assert "numpy" not in message
