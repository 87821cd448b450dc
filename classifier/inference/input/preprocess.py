"""From a picture's pixels to a network's input, and from a network's grid back to the picture."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from PIL import Image

from classifier.inference.input.images import Pixels
from classifier.inference.input.manifest import InputSpec

PREPROCESSING_VERSION = 1
"""Raised whenever the same picture and manifest would give other numbers."""

Floats = npt.NDArray[np.float32]
Region = tuple[float, float, float, float]

PILLOW = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
    "area": Image.Resampling.BOX,
}


def network_input(pixels: Pixels, spec: InputSpec) -> Floats:
    """Return one picture, uint8 (height, width, 3), as the network wants it, float32 (spec.height, spec.width, 3)."""
    resized = _resized(pixels, spec)
    if spec.color == "bgr":
        resized = resized[..., ::-1]
    low, high = spec.range
    scaled = resized * np.float32((high - low) / 255) + np.float32(low)
    return ((scaled - np.asarray(spec.mean, np.float32)) / np.asarray(spec.std, np.float32)).astype(np.float32)


def region(spec: InputSpec, height: int, width: int) -> Region:
    """Return (left, top, right, bottom), in px of the upright picture, of what the input covers.

    A letterbox covers more than the picture: left or top are negative then.
    """
    if spec.resize == "stretch":
        return (0.0, 0.0, float(width), float(height))
    scale = _scale(spec, height, width)
    half_width, half_height = spec.width / scale / 2, spec.height / scale / 2
    return (width / 2 - half_width, height / 2 - half_height, width / 2 + half_width, height / 2 + half_height)


def _scale(spec: InputSpec, height: int, width: int) -> float:
    """Network px for each picture px: the picture fits inside (letterbox) or fills the input (crop)."""
    ratios = (spec.width / width, spec.height / height)
    return min(ratios) if spec.resize == "letterbox" else max(ratios)


def _resized(pixels: Pixels, spec: InputSpec) -> Floats:
    height, width = pixels.shape[:2]
    if spec.resize == "stretch":
        return resize(pixels, spec.width, spec.height, spec.interpolation, antialias=spec.antialias)
    scale = _scale(spec, height, width)
    inner_width, inner_height = max(1, round(width * scale)), max(1, round(height * scale))
    inner = resize(pixels, inner_width, inner_height, spec.interpolation, antialias=spec.antialias)
    if spec.resize == "crop":
        left, top = (inner_width - spec.width) // 2, (inner_height - spec.height) // 2
        return inner[top : top + spec.height, left : left + spec.width]
    padded = np.zeros((spec.height, spec.width, 3), np.float32)
    left, top = (spec.width - inner_width) // 2, (spec.height - inner_height) // 2
    padded[top : top + inner_height, left : left + inner_width] = inner
    return padded


def resize(pixels: Pixels, width: int, height: int, interpolation: str, *, antialias: bool) -> Floats:
    """Resize to float32 (height, width, 3) in 0 … 255.

    With antialias as Pillow and torchvision do it on bytes; without as `tf.image.resize(antialias=False)` does it:
    half-pixel centres, no rounding. Area and nearest are the same in both families of libraries.
    """
    if antialias or interpolation == "area":
        resized = Image.fromarray(pixels).resize((width, height), PILLOW[interpolation])
        return np.asarray(resized).astype(np.float32)
    rows = _weights(pixels.shape[0], height, interpolation)
    columns = _weights(pixels.shape[1], width, interpolation)
    return _weighted(pixels, rows, columns)


Taps = tuple[npt.NDArray[np.intp], Floats]


def _weights(source: int, target: int, interpolation: str) -> Taps:
    """Return for each target position the source positions (target, taps) and their weights (target, taps)."""
    kernel, support = KERNELS[interpolation]
    if interpolation == "nearest":
        nearest = np.floor((np.arange(target, dtype=np.float32) + 0.5) * (source / target)).astype(np.intp)
        return nearest[:, None].clip(0, source - 1), np.ones((target, 1), np.float32)
    centres = (np.arange(target, dtype=np.float32) + np.float32(0.5)) * np.float32(source / target) - np.float32(0.5)
    first = np.floor(centres).astype(np.intp) - (support - 1)
    positions = first[:, None] + np.arange(2 * support)
    if interpolation == "bicubic":  # TensorFlow looks its weights up in a table of 1,024 steps
        centres = np.floor(centres) + np.rint((centres - np.floor(centres)) * 1024) / 1024
    weights = kernel(positions.astype(np.float32) - centres[:, None].astype(np.float32))
    weights = np.where((positions >= 0) & (positions < source), weights, 0) if support > 1 else weights
    weights /= weights.sum(axis=1, keepdims=True)
    return positions.clip(0, source - 1), weights.astype(np.float32)


def _weighted(pixels: Pixels, rows: Taps, columns: Taps) -> Floats:
    """Apply the taps along both axes, tap by tap, so that no array grows beyond one picture."""
    row_positions, row_weights = rows
    column_positions, column_weights = columns
    wide = np.zeros((len(row_positions), *pixels.shape[1:]), np.float32)
    for tap in range(row_positions.shape[1]):
        wide += pixels[row_positions[:, tap]] * row_weights[:, tap, None, None]
    small = np.zeros((wide.shape[0], len(column_positions), 3), np.float32)
    for tap in range(column_positions.shape[1]):
        small += wide[:, column_positions[:, tap]] * column_weights[None, :, tap, None]
    return small


def _triangle(x: Floats) -> Floats:
    return np.asarray(np.maximum(0, 1 - np.abs(x)))


def _keys(x: Floats) -> Floats:
    """Keys' cubic convolution with a = -0.5. Source: Keys 1981, doi:10.1109/TASSP.1981.1163711."""
    x = np.abs(x)
    near = 1.5 * x**3 - 2.5 * x**2 + 1
    far = -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return np.where(x <= 1, near, np.where(x < 2, far, 0)).astype(np.float32)


def _lanczos(x: Floats) -> Floats:
    return np.where(np.abs(x) < 3, np.sinc(x) * np.sinc(x / 3), 0).astype(np.float32)


KERNELS: dict[str, tuple[Callable[[Floats], Floats], int]] = {
    "nearest": (_triangle, 1),
    "bilinear": (_triangle, 1),
    "bicubic": (_keys, 2),
    "lanczos": (_lanczos, 3),
}
