"""What a Keras network itself does to the values of a picture before its first layer that mixes pixels."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import keras

Floats = NDArray[np.float64]

PASSING = ("CenterCrop", "Dropout", "GaussianNoise", "Identity", "InputLayer", "RandomCrop", "Resizing")
AUGMENTATION = "Random"
# Pixels of 0 to 255 come out of a network's own scaling no wider than that: ±1 and ImageNet's ±2.6 are usual.
WIDEST = 20.0
# Only a mean in units of 0 to 255 is as large as that (ImageNet's are 103.9, 116.8 and 123.7).
PIXEL_MEAN = 10.0


@dataclass(frozen=True)
class Scaling:
    """The layers that scale, and the range of pixels that their numbers are made for: 0 to 255, or 0 to 1."""

    layers: tuple[str, ...] = ()
    range: tuple[int, int] = (0, 255)


def read(model: "keras.Model") -> Scaling:
    """Follow the picture from the input as long as every pixel is treated alike."""
    picture = next(tensor for tensor in model.inputs if len(tensor.shape) == 4)
    way = _Way()
    way.follow(model, picture)
    if not way.names or (np.allclose(way.scale, 1) and np.allclose(way.offset, 0)):
        return Scaling()
    of_bytes = 255 * float(np.abs(way.scale).max()) <= WIDEST or float(np.abs(way.offset).max()) > PIXEL_MEAN
    return Scaling(tuple(way.names), (0, 255) if of_bytes else (0, 1))


@dataclass
class _Way:
    """What has become of a value x so far: `scale` · x + `offset`, one number a channel."""

    scale: Floats = field(default_factory=lambda: np.ones(3))
    offset: Floats = field(default_factory=lambda: np.zeros(3))
    names: list[str] = field(default_factory=list)

    def follow(self, model: "keras.Model", tensor: Any) -> bool:
        """Return whether the way led through the whole model; one inside another is followed to its own end."""
        while tensor is not model.outputs[0]:
            operation = _only_user(model, tensor)
            if operation is None:
                return False
            if hasattr(operation, "layers") and hasattr(operation, "inputs"):
                if not self.follow(operation, operation.inputs[0]):
                    return False
            elif not self._take(operation):
                return False
            tensor = _output_of(operation, tensor)
        return True

    def _take(self, operation: Any) -> bool:
        kind = type(operation).__name__
        if kind in PASSING or kind.startswith(AUGMENTATION):
            return True
        if kind == "Flip" and operation.axis in (-1, 3):
            self.scale, self.offset = self.scale[::-1], self.offset[::-1]
            return True
        step = _step(operation)
        if step is None:
            return False
        self.names.append(operation.name)
        self.scale, self.offset = step[0] * self.scale, step[0] * self.offset + step[1]
        return True


def _step(operation: Any) -> tuple[Floats, Floats] | None:
    """The step's own scale and offset, or None for what is no scaling."""
    kind = type(operation).__name__
    try:
        if kind == "Rescaling":
            return _three(operation.scale), _three(operation.offset)
        if kind == "Normalization" and not operation.invert:
            deviation = np.maximum(np.sqrt(_three(operation.variance)), 1e-7)
            return 1 / deviation, -_three(operation.mean) / deviation
    except ValueError:
        return None
    return None


def _three(value: Any) -> Floats:
    """One number a channel. Raises ValueError for numbers that differ by place."""
    return np.broadcast_to(np.asarray(value, np.float64).reshape(-1), 3)


def _only_user(model: "keras.Model", tensor: Any) -> Any:
    users = [node for node in _nodes(model) if any(given is tensor for given in node.input_tensors)]
    return users[0].operation if len(users) == 1 else None


def _output_of(operation: Any, tensor: Any) -> Any:
    nodes = [node for node in operation._inbound_nodes if any(given is tensor for given in node.input_tensors)]
    return nodes[0].output_tensors[0]


def _nodes(model: "keras.Model") -> list[Any]:
    functional = getattr(model, "_functional", None) or model
    return [node for depth in functional._nodes_by_depth.values() for node in depth]
