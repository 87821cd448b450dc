"""What a Keras network itself does to the values of a picture before its first layer with weights: tried, not read."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from classifier.inference.networks.keras_hooks import alone, hooked, operations

if TYPE_CHECKING:
    import keras

Floats = NDArray[np.float64]

# Pictures of one colour each: black, the three channels, and one more that shows whether all is a sum of these.
COLOURS = np.array([(0, 0, 0), (100, 0, 0), (0, 100, 0), (0, 0, 100), (40, 200, 90)], np.float32)
STEP = 100
OPEN_SIDE = 224
# What brings the picture into another form and leaves its values.
SHAPING = ("Flatten", "Reshape", "Permute", "Padding", "Pool")
# Pixels of 0 to 255 come out of a network's own scaling no wider than that: ±1 and ImageNet's ±2.6 are usual.
WIDEST = 20.0
# Only a mean in units of 0 to 255 is as large as that (ImageNet's are 103.9, 116.8 and 123.7).
PIXEL_MEAN = 10.0


@dataclass(frozen=True)
class Scaling:
    """The steps that scale, and the range of pixels that their numbers are made for: 0 to 255, or 0 to 1.

    `unread` names a step whose doing cannot be told: then the range is not known.
    """

    layers: tuple[str, ...] = ()
    range: tuple[int, int] = (0, 255)
    unread: str = ""


def read(model: "keras.Model") -> Scaling:
    """Send pictures of one colour through the network, up to its first layer with weights."""
    path = _Path()
    parts = operations(model)
    names = {id(part): name for name, part in parts.items()}
    with hooked(parts.values(), lambda part, output: path.take(part, names[id(part)], output)):
        try:
            model(alone([_given(tensor.shape) for tensor in model.inputs]), training=False)
        except _Enough:
            pass
        except MemoryError:
            raise
        except Exception:  # the step after the last one that was taken fails: the check of its size will say so
            return Scaling()
    return path.scaling()


class _Enough(BaseException):
    """The first layer with weights was reached. Keras wraps every Exception on its way up."""


@dataclass
class _Path:
    """What has become of the colours so far, (5, 3); `open` are steps after that whose results are no pictures."""

    colours: Floats = field(default_factory=lambda: COLOURS.astype(np.float64))
    names: list[str] = field(default_factory=list)
    open: list[str] = field(default_factory=list)
    unread: str = ""

    def take(self, part: Any, name: str, output: Any) -> Any:
        values = np.asarray(output) if hasattr(output, "shape") else None
        kind = type(part).__name__
        if values is not None and not _is_of_picture(values):
            return output
        if getattr(part, "weights", None) and kind != "Normalization":
            if kind.endswith("Normalization") and not self.names:
                self.unread = name
            raise _Enough
        if values is not None and values.ndim == 4 and values.shape[-1] == COLOURS.shape[1]:
            self._note(name, values)
        elif not any(word in kind for word in SHAPING):
            self.open.append(name)
        return output

    def _note(self, name: str, values: NDArray[Any]) -> None:
        _count, rows, columns, _channels = values.shape
        found = values[:, rows // 2, columns // 2].astype(np.float64)
        if not np.allclose(found, values[:, rows // 3, columns // 4], rtol=1e-3, atol=1e-4):
            self.unread = self.unread or name  # it differs by place
        if not np.allclose(found, self.colours):
            self.names.append(name)
        self.colours = found
        self.open.clear()

    def scaling(self) -> Scaling:
        offset = self.colours[0]
        slopes = (self.colours[1:4] - offset) / STEP
        sums = offset + COLOURS[4] @ slopes
        if not np.allclose(sums, self.colours[4], rtol=1e-3, atol=1e-3):
            self.unread = self.unread or self.names[-1]
        unread = self.unread or (self.open[0] if self.open else "")
        if unread or not self.names:
            return Scaling(unread=unread)
        scale = np.abs(slopes).sum(axis=0)
        of_bytes = 255 * float(scale.max()) <= WIDEST or float(np.abs(offset).max()) > PIXEL_MEAN
        return Scaling(tuple(self.names), (0, 255) if of_bytes else (0, 1))


def _given(shape: tuple[int | None, ...]) -> NDArray[np.float32]:
    """Pictures of one colour each, or rows of zeros, as the input wants them."""
    if len(shape) != 4:
        return np.zeros((len(COLOURS), *(side or 0 for side in shape[1:])), np.float32)
    rows, columns = (side or OPEN_SIDE for side in shape[1:3])
    return np.broadcast_to(COLOURS[:, None, None], (len(COLOURS), rows, columns, COLOURS.shape[1])).copy()


def _is_of_picture(values: NDArray[Any]) -> bool:
    """Whether the pictures make a difference; they make none to what comes from the other inputs."""
    return values.ndim > 2 or bool((values != values[:1]).any())
