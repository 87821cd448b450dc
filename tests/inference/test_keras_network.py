"""Keras networks as people build them: they answer as Keras does, and their maps come from the right layer."""

import json
from typing import Any

import numpy as np
import pytest

from tests.conftest import InProcess
from tests.inference.test_networks import bundled, small

SIDE = 32
TINY = 1e-5


def scores(kind: str) -> tuple[Any, str, int]:
    """A network, what it ends with in the manifest's words, and how many classes it names."""
    import keras
    from keras import layers, ops

    keras.utils.set_random_seed(0)
    keras.backend.clear_session()
    open_side = (None, None, 3) if kind == "open sides" else (SIDE, SIDE, 3)
    picture = keras.Input(open_side)
    value = layers.Conv2D(4, 3, strides=2, activation="relu", name="conv")(picture)
    if kind == "equal names":
        value = keras.Sequential([keras.Input(value.shape[1:]), layers.Conv2D(4, 3, name="conv")], name="inner")(value)
    if kind == "attention":
        places = layers.Reshape((-1, 4))(value)
        value = layers.Reshape(value.shape[1:])(layers.MultiHeadAttention(15, 4)(places, places))
        value = layers.Softmax(axis=-1, name="heads")(layers.Permute((3, 1, 2))(value))
        value = layers.Permute((2, 3, 1))(value)
    if kind == "twice":
        again = layers.Conv2D(4, 3, padding="same", name="again")
        value = again(again(value))
    if kind == "function":
        value = ops.relu(value - 0.1)
    flat = layers.GlobalAveragePooling2D()(value) * 10
    heads = [layers.Dense(3)(flat) for _head in range(2)]
    shared = layers.Activation("softmax")
    ends = {
        "softmax": lambda: (ops.softmax(heads[0]), "softmax", 3),
        "log softmax": lambda: (ops.log_softmax(heads[0]), "log_softmax", 3),
        "sigmoid": lambda: (keras.activations.sigmoid(layers.Dense(1)(flat)), "sigmoid", 2),
        "sigmoids": lambda: (ops.sigmoid(heads[0]), "sigmoid", 3),
        "average": lambda: (layers.Average()([ops.softmax(head) for head in heads]), "softmax", 3),
        "average of sigmoids": lambda: (layers.Average()([ops.sigmoid(head) for head in heads]), "sigmoid", 3),
        "shared": lambda: (shared(shared(heads[0]) * 3), "softmax", 3),
    }
    made, output, classes = ends.get(kind, ends["softmax"])()
    return keras.Model(picture, made), output, classes


def tried(kind: str) -> dict[str, Any]:
    """How far the bundle's probabilities are from Keras' own, its layer, and how far its maps are from a tape's."""
    import keras
    import tensorflow as tf

    from classifier.inference.networks import keras as keras_network
    from classifier.inference.networks import keras_activation, keras_hooks

    model, output, classes = scores(kind)
    classifier = bundled(small("keras", classes, output), json.loads(model.to_json()), keras_network.dump(model))
    pictures = np.random.default_rng(0).random((2, SIDE, SIDE, 3)).astype(np.float32)
    answer = classifier.predict(pictures)
    own = model.predict(pictures, verbose=0).astype(np.float64)
    own = np.exp(own) if output == "log_softmax" else own
    ours = answer.probabilities if answer.scores is None else answer.scores
    told = {"differs": float(np.abs(own - ours[:, -own.shape[1] :]).max()), "layer": classifier.layer}
    told |= {"removable": keras_activation.is_removable(model), "grid": answer.maps.shape[2:]}
    if kind.startswith("average"):
        tap = model.get_layer(classifier.layer)
        both = keras.Model(model.inputs, [tap.output, model.output])
        with tf.GradientTape() as tape:
            features, said = both(pictures)
            score = tf.math.log(said[:, 1]) - (tf.math.log(1 - said[:, 1]) if output == "sigmoid" else 0)
        gradient = tape.gradient(score, features).numpy().mean(axis=(1, 2))
        wanted = np.einsum("nrck,nk->nrc", features, gradient)
        told["maps"] = float(np.abs(answer.maps[:, 1] - wanted).max() / np.abs(wanted).max())
    assert keras_hooks.operations(classifier.model)[classifier.layer] is not None
    return told


@pytest.mark.parametrize("kind", ["softmax", "log softmax", "sigmoid", "sigmoids", "open sides", "function"])
def test_an_ending_by_a_function_is_taken_off(in_keras: InProcess, kind: str) -> None:
    told = in_keras(tried, kind)
    assert told["differs"] <= TINY
    assert told["removable"]
    assert told["grid"] == (15, 15)


@pytest.mark.parametrize("kind", ["average", "average of sigmoids"])
def test_probabilities_that_cannot_be_taken_apart_are_explained_by_their_logarithm(
    in_keras: InProcess, kind: str
) -> None:
    told = in_keras(tried, kind)
    assert told["differs"] <= TINY
    assert told["maps"] <= TINY
    assert not told["removable"]


def test_a_softmax_that_the_network_uses_elsewhere_too_stays(in_keras: InProcess) -> None:
    told = in_keras(tried, "shared")
    assert told["differs"] <= TINY
    assert not told["removable"]


@pytest.mark.parametrize(
    ("kind", "layer", "grid"),
    [("equal names", "inner/conv", (13, 13)), ("twice", "conv", (15, 15)), ("attention", "permute_1", (15, 15))],
)
def test_the_layer_of_the_maps_has_one_name_and_one_output(
    in_keras: InProcess, kind: str, layer: str, grid: tuple[int, int]
) -> None:
    told = in_keras(tried, kind)
    assert (told["layer"], told["grid"]) == (layer, grid)
    assert told["differs"] <= TINY


def ended_otherwise() -> str:
    from classifier.inference.networks import keras_activation

    try:
        keras_activation.to_logits(scores("sigmoids")[0], "softmax")
    except ValueError as error:
        return str(error)
    return ""


def test_an_ending_that_is_another_is_named(in_keras: InProcess) -> None:
    assert "ends with sigmoid, not with softmax" in in_keras(ended_otherwise)
