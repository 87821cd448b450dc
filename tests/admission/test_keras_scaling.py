"""What a Keras network does to pixels itself is found whichever way it was written, and said to be unknown else."""

from typing import Any

import numpy as np
import pytest

from tests.conftest import InProcess

SIDE = 16


def scaling(name: str) -> tuple[tuple[str, ...], tuple[int, int], str]:
    import keras
    from keras import layers, ops

    from classifier.admission.keras import scaling as keras_scaling

    applications = keras.applications
    keras.backend.clear_session()
    picture = keras.Input((SIDE, SIDE, 3), name="picture")
    statistics = {"mean": [120.0] * 3, "variance": [3600.0] * 3}

    def nested(value: Any) -> Any:
        inner = keras.Sequential([keras.Input((SIDE, SIDE, 3)), layers.Rescaling(1 / 255, name="inside")])
        return inner(value)

    steps = {
        "nothing": lambda x: x,
        "padding": lambda x: layers.ZeroPadding2D()(layers.RandomFlip()(x)),
        "tf": applications.mobilenet_v2.preprocess_input,
        "caffe": applications.resnet50.preprocess_input,
        "torch": applications.densenet.preprocess_input,
        "divided": lambda x: layers.RandomFlip()(x) / 255.0,
        "multiplied": lambda x: ops.multiply(1 / 255, x),
        "turned": lambda x: 1.0 - x / 255.0,
        "colours": lambda x: x[..., ::-1] / 255.0,
        "mean": lambda x: ops.subtract(x, np.full(3, 0.5, "float32")),
        "deviation": lambda x: (x - 0.5) / 0.25,
        "rescaling": layers.Rescaling(1 / 127.5, offset=-1),
        "normalization": layers.Normalization(**statistics),
        "nested": nested,
        "clipped": lambda x: ops.clip(x, 0, 50),
        "grey": lambda x: ops.mean(x, axis=-1, keepdims=True),
        "learned": layers.BatchNormalization(name="first"),
    }
    value = layers.Conv2D(4, 3, name="conv")(steps[name](picture))
    numbers = keras.Input((5,))
    clinical = layers.Dense(4)(numbers)
    value = layers.Concatenate()([clinical, layers.GlobalAveragePooling2D()(value)])
    model = keras.Model([picture, numbers], layers.Dense(3, activation="softmax")(value))
    found = keras_scaling.read(model)
    return found.layers, found.range, found.unread


@pytest.mark.parametrize(
    ("name", "count", "pixels"),
    [
        ("tf", 2, (0, 255)),
        ("caffe", 2, (0, 255)),
        ("torch", 3, (0, 255)),
        ("divided", 1, (0, 255)),
        ("multiplied", 1, (0, 255)),
        ("turned", 2, (0, 255)),
        ("colours", 2, (0, 255)),
        ("mean", 1, (0, 1)),
        ("deviation", 2, (0, 1)),
        ("rescaling", 1, (0, 255)),
        ("normalization", 1, (0, 255)),
        ("nested", 1, (0, 255)),
    ],
)
def test_steps_that_scale_are_found(in_keras: InProcess, name: str, count: int, pixels: tuple[int, int]) -> None:
    layers, found, unread = in_keras(scaling, name)
    assert (len(layers), found, unread) == (count, pixels, ""), layers


@pytest.mark.parametrize("name", ["nothing", "padding"])
def test_none_is_found_where_there_is_none(in_keras: InProcess, name: str) -> None:
    layers, _range, unread = in_keras(scaling, name)
    assert (layers, unread) == ((), "")


@pytest.mark.parametrize(("name", "unread"), [("clipped", "clip"), ("grey", "mean"), ("learned", "first")])
def test_what_cannot_be_read_is_named(in_keras: InProcess, name: str, unread: str) -> None:
    found = in_keras(scaling, name)
    assert (found[0], found[2]) == ((), unread)
