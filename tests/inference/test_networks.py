"""Both frameworks: the bundle answers as the framework does, and its maps are Grad-CAM's."""

import json
import tempfile
import zipfile
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from classifier.inference import bundle
from classifier.inference.classifier import Classifier, load, run
from classifier.inference.input.clinical import Clinical, encode
from classifier.inference.input.preprocess import network_input
from tests.manifests import complete

DEMO = Path(__file__).parents[2] / "demo"
TOLD = Clinical(45, "male", "back")
COLOURS = np.random.default_rng(1).integers(0, 256, (3, 90, 120, 3), dtype=np.uint8)


def bundled(manifest: dict, network: dict, tensors: dict) -> Classifier:
    with tempfile.TemporaryDirectory() as folder:
        bundle.write(Path(folder), manifest=complete(**manifest), network=network, tensors=tensors)
        return load(bundle.read(Path(folder)))


def small(framework: str, classes: int = 3, output: str = "logits", size: int = 32) -> dict:
    names = [{"code": f"c{number}", "name": f"Class {number}", "malignant": None} for number in range(classes)]
    return {"framework": framework, "classes": names, "input": {"width": size, "height": size}, "output": output}


# PyTorch


def torch_classifier(network: Any, architecture: dict, outputs: int, manifest: dict) -> Classifier:
    tensors = {name: value.float().numpy() for name, value in network.state_dict().items()}
    return bundled(manifest, {"architecture": architecture, "outputs": outputs}, tensors)


def demo_b2() -> tuple[Any, Classifier]:
    import torch

    from classifier.inference.networks import torch_architectures

    manifest = json.loads((DEMO / "efficientnet_b2.json").read_text())
    network = torch_architectures.build(manifest["architecture"], 8)
    network.load_state_dict(torch.load(DEMO / "efficientnet_b2.pth", weights_only=True))  # noqa: TID251  (our own file)
    network.float()
    return network, torch_classifier(network, manifest["architecture"], 8, manifest)


def as_tensor(classifier: Classifier, picture: np.ndarray) -> Any:
    import torch

    return torch.from_numpy(network_input(picture, classifier.manifest.input)[None]).permute(0, 3, 1, 2).contiguous()


def b2_differences() -> tuple[float, float]:
    """Return the largest difference of probabilities, and of maps relative to the largest native value."""
    import torch
    from pytorch_grad_cam import GradCAM
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    network, classifier = demo_b2()
    answer = run(classifier, [COLOURS[0]], [TOLD])
    inputs = as_tensor(classifier, COLOURS[0])
    with torch.no_grad():
        native = torch.softmax(network(inputs), 1).numpy()
    with GradCAM(network, [network.get_submodule(classifier.layer)]) as method:
        maps = []
        for number in range(8):
            method(inputs, [ClassifierOutputTarget(number)])
            kept = method.activations_and_grads
            values = (kept.activations[0].numpy(), kept.gradients[0].numpy())
            maps.append(method.get_cam_image(inputs, None, None, *values, False)[0])
    worst = np.abs(np.stack(maps) - answer.maps[0]).max()
    return float(np.abs(native - answer.probabilities).max()), float(worst / np.abs(maps).max())


def test_the_demo_b2_answers_as_torch_and_explains_as_grad_cam(in_torch):
    probabilities, maps = in_torch(b2_differences)
    assert probabilities <= 1e-5
    assert maps <= 1e-4


LAYERS = [
    {"type": "conv2d", "name": "conv1", "out": 8, "kernel": 3},
    {"type": "relu"},
    {"type": "maxpool2d", "kernel": 2},
    {"type": "flatten"},
    {"type": "linear", "name": "fc1", "out": 16},
    {"type": "relu"},
    {"type": "linear", "name": "fc2", "out": 3},
]


def plain_layers(classes: int = 3, output: str = "logits") -> Classifier:
    import torch

    from classifier.inference.networks import torch_architectures

    torch.manual_seed(0)
    layers = [*LAYERS[:-1], LAYERS[-1] | {"out": classes}]
    network = torch_architectures.build({"family": "layers", "layers": layers}, classes)
    network(torch.zeros(1, 3, 32, 32))
    return torch_classifier(
        network, {"family": "layers", "layers": layers}, classes, small("torch", max(classes, 2), output)
    )


def batches_and_repeats() -> tuple[float, float, bool]:
    classifier = plain_layers()
    together = run(classifier, list(COLOURS), [TOLD] * 3)
    singles = [run(classifier, [picture], [TOLD]) for picture in COLOURS]
    again = run(classifier, list(COLOURS), [TOLD] * 3)
    probabilities = np.concatenate([single.probabilities for single in singles])
    maps = np.concatenate([single.maps for single in singles])
    equal = np.array_equal(together.probabilities, again.probabilities) and np.array_equal(together.maps, again.maps)
    return (
        float(np.abs(together.probabilities - probabilities).max()),
        float(np.abs(together.maps - maps).max() / np.abs(maps).max()),
        equal,
    )


def test_a_batch_answers_as_single_pictures_and_the_same_twice(in_torch):
    probabilities, maps, equal = in_torch(batches_and_repeats)
    assert probabilities <= 1e-5
    assert maps <= 1e-4
    assert equal


def sigmoids() -> dict[str, Any]:
    one, several = plain_layers(1, "sigmoid"), plain_layers(3, "sigmoid")
    single, many = run(one, [COLOURS[0]], [TOLD]), run(several, [COLOURS[0]], [TOLD])
    return {
        "two": single.probabilities.tolist(),
        "opposite": bool(np.allclose(single.maps[0, 0], -single.maps[0, 1])),
        "scores": many.scores.tolist(),
        "probabilities": many.probabilities.tolist(),
    }


def test_one_sigmoid_is_two_classes_and_several_are_scores(in_torch):
    found = in_torch(sigmoids)
    assert sum(found["two"][0]) == pytest.approx(1)
    assert found["opposite"]
    scores = np.array(found["scores"])
    assert np.allclose(found["probabilities"], scores / scores.sum())


def builds(architecture: dict) -> str:
    from classifier.inference.networks import torch_architectures

    try:
        torch_architectures.build(architecture, 3)
    except torch_architectures.ArchitectureError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("architecture", "says"),
    [
        ({"family": "caffe"}, "caffe"),
        ({"family": "timm", "name": "no_such_net"}, "no_such_net"),
        ({"family": "layers", "layers": [{"type": "lambda"}]}, "lambda"),
        ({"family": "layers", "layers": []}, "1 to 500"),
    ],
)
def test_an_architecture_that_cannot_be_built_is_named(in_torch, architecture, says):
    assert says in in_torch(builds, architecture)


# Keras


def xception_file() -> Path:
    return Path(str(distribution("sklesion").locate_file("sklesion/model.keras")))


def demo_xception() -> tuple[Any, Classifier]:
    import keras

    from classifier.inference.networks import keras as keras_network

    native = keras.saving.load_model(xception_file(), compile=False)
    config = json.loads(zipfile.ZipFile(xception_file()).read("config.json"))
    manifest = json.loads((DEMO / "xception.json").read_text())
    return native, bundled(manifest, config, keras_network.dump(native))


def xception_differences() -> tuple[float, float]:
    """Return the largest difference to keras.Model.predict, and of maps to a plain gradient tape (relative)."""
    import keras
    import tensorflow as tf

    native, classifier = demo_xception()
    worst = 0.0
    for details in (TOLD, Clinical(), Clinical(age=80, sex="female")):
        inputs = network_input(COLOURS[0], classifier.manifest.input)[None]
        vector = encode("sklesion", details)[None]
        answer = run(classifier, [COLOURS[0]], [details])
        worst = max(worst, float(np.abs(native.predict([inputs, vector], verbose=0) - answer.probabilities).max()))

    def apply(name: str, values: Any) -> Any:
        return native.get_layer(name)(values, training=False)

    inner = native.get_layer("xception")
    trunk = keras.Model(inner.inputs, inner.get_layer(classifier.layer).output)
    with tf.GradientTape(persistent=True) as tape:
        features = trunk(apply("normalization", inputs))
        tape.watch(features)
        seen = apply("batch_normalization_4", apply("dense", tf.reduce_mean(features, (1, 2))))
        told = apply(
            "batch_normalization_6", apply("dense_2", apply("batch_normalization_5", apply("dense_1", vector)))
        )
        last = apply("batch_normalization_7", apply("dense_3", tf.concat([seen, told], -1)))
        dense = native.get_layer("dense_4")
        logits = tf.unstack(last @ dense.kernel + dense.bias, axis=1)
    gradients = [tape.gradient(logit, features) for logit in logits]
    maps = np.stack(
        [tf.reduce_sum(tf.reduce_mean(each, (1, 2), keepdims=True) * features, -1)[0].numpy() for each in gradients]
    )
    return worst, float(np.abs(maps - answer.maps[0]).max() / np.abs(maps).max())


def test_the_demo_xception_answers_as_keras_and_explains_as_a_tape(in_keras):
    probabilities, maps = in_keras(xception_differences)
    assert probabilities <= 1e-4
    assert maps <= 1e-4


def keras_endings() -> dict[str, float]:
    """Return how far the bundle is from Keras' own output for every kind of ending."""
    import keras
    from keras import layers

    from classifier.inference.networks import keras as keras_network

    def trunk() -> list[Any]:
        return [layers.Input((32, 32, 3)), layers.Conv2D(4, 3, activation="relu"), layers.GlobalMaxPooling2D()]

    nested = keras.Sequential(
        [layers.Input((32, 32, 3)), keras.Sequential(trunk()), layers.Dense(3, activation="softmax")]
    )
    models = {
        "softmax": keras.Sequential([*trunk(), layers.Dense(3, activation="softmax")]),
        "softmax layer": keras.Sequential([*trunk(), layers.Dense(3), layers.Softmax()]),
        "activation layer": keras.Sequential([*trunk(), layers.Dense(3), layers.Activation("softmax")]),
        "nested": nested,
        "sigmoid": keras.Sequential([*trunk(), layers.Dense(1, activation="sigmoid")]),
    }
    differences = {}
    for name, model in models.items():
        config = json.loads(keras.saving.serialize_keras_object(model) and model.to_json())
        output = "sigmoid" if name == "sigmoid" else "softmax"
        manifest = small("keras", 2 if name == "sigmoid" else 3, output)
        classifier = bundled(manifest, config, keras_network.dump(model))
        answer = run(classifier, [COLOURS[0]], [TOLD])
        native = model.predict(network_input(COLOURS[0], classifier.manifest.input)[None], verbose=0)
        differences[name] = float(np.abs(native - answer.probabilities[:, -native.shape[1] :]).max())
        assert answer.maps.shape[1] == answer.probabilities.shape[1]
        assert answer.maps.shape[2] > 1
    return differences


def test_every_ending_is_taken_off_and_put_on_again(in_keras):
    assert max(in_keras(keras_endings).values()) <= 1e-5
