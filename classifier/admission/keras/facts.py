"""What a rebuilt Keras model says of itself."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from classifier.admission.keras import scaling as keras_scaling
from classifier.admission.manifest.facts import Facts
from classifier.admission.refusal import Refusal, RefusalCode
from classifier.inference.networks import keras_activation

if TYPE_CHECKING:
    import keras

Floats = NDArray[np.float32]

HINT = "The portal classifies pictures: it needs a model with one picture as input, and one score a class as output."


def read(model: "keras.Model") -> Facts:
    """Raises Refusal for a model that takes no pictures or gives no scores."""
    images = [tensor for tensor in model.inputs if len(tensor.shape) == 4]
    vectors = [tensor for tensor in model.inputs if len(tensor.shape) == 2]
    if len(images) != 1:
        raise _refusal(
            RefusalCode.NO_IMAGE_INPUT, f"The model does not take images: its inputs are {_shapes(model.inputs)}."
        )
    if len(images) + len(vectors) != len(model.inputs) or len(vectors) > 1:
        message = f"The model takes more than an image and one row of numbers: {_shapes(model.inputs)}."
        raise _refusal(RefusalCode.UNKNOWN_INPUTS, message)
    _batch, height, width, channels = images[0].shape
    if channels == 1:
        message = "The model takes pictures of one channel (grey), which the portal does not make."
        raise _refusal(RefusalCode.GRAY_INPUT, message)
    if channels != 3:
        message = f"The model does not take images of 3 channels (NHWC): its input is {_shapes(images)}."
        raise _refusal(RefusalCode.NO_IMAGE_INPUT, message)
    scaling = keras_scaling.read(model)
    return Facts(
        framework="keras",
        architecture=_describe(model),
        outputs=_outputs(model),
        parameters=model.count_params(),
        width=width,
        height=height,
        channels=channels,
        numbers=int(vectors[0].shape[1] or 0) if vectors else 0,
        output=keras_activation.output_activation(model),
        scales=scaling.layers,
        range=scaling.range,
        unread=scaling.unread,
    )


def native(model: "keras.Model") -> "Callable[[Floats, Floats | None], Floats]":
    """Return the framework's own model as a function of pictures (n, height, width, 3) and vectors (n, K) or None."""

    def answer(pictures: Floats, vectors: Floats | None) -> Floats:
        by_rank = {4: pictures, 2: vectors}
        given = [by_rank[len(tensor.shape)] for tensor in model.inputs]
        return np.asarray(model(given if len(given) > 1 else given[0], training=False), np.float32)

    return answer


def _outputs(model: "keras.Model") -> int:
    if len(model.outputs) != 1 or len(model.outputs[0].shape) != 2 or not model.outputs[0].shape[1]:
        message = f"The model does not end with one score a class: its outputs are {_shapes(model.outputs)}."
        raise _refusal(RefusalCode.UNKNOWN_OUTPUTS, message)
    return int(model.outputs[0].shape[1])


def _describe(model: "keras.Model") -> str:
    """`Functional, 148 layers, with the model “xception” inside`."""
    layers = _flat(model)
    inner = [layer.name for layer in model.layers if hasattr(layer, "layers") and hasattr(layer, "outputs")]
    inside = f", with the model “{inner[0]}” inside" if inner else ""
    return f"Keras {type(model).__name__}, {len(layers)} layers{inside}"


def _flat(model: "keras.Model") -> list[Any]:
    return list(model._flatten_layers(include_self=False))


def _shapes(tensors: Any) -> str:
    return ", ".join("×".join("?" if side is None else str(side) for side in tensor.shape) for tensor in tensors)


def _refusal(code: RefusalCode, message: str) -> Refusal:
    return Refusal(code, message, HINT)
