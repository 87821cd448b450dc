"""Heat maps as pictures: a layer in the geometry of the whole upright picture, transparent where it says nothing."""

import io
from functools import cache

import numpy as np
import numpy.typing as npt
from PIL import Image

from classifier.inference.input.preprocess import Region

Floats = npt.NDArray[np.float32]

ANCHORS = ("#08040f", "#3d1163", "#83256b", "#c83e4d", "#f2752b", "#fbb62e", "#f8f2a0")
"""Dark violet over red and orange to light yellow; interpolated in OKLab, so that lightness rises evenly."""

LEVELS = 256
FULL_ALPHA_FROM = 0.25
OKLAB = np.array(
    [[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566],
     [0.0883024619, 0.2817188376, 0.6299787005]]
)  # fmt: skip
OKLAB_FROM_LMS = np.array(
    [[0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099],
     [0.0259040371, 0.7827717662, -0.8086757660]]
)  # fmt: skip
"""Both matrices: Ottosson 2020, "A perceptual color space for image processing"."""


def positive(signed: Floats) -> Floats:
    """What raises the class's score."""
    return np.maximum(signed, 0)


def negative(signed: Floats) -> Floats:
    """What lowers the class's score, as non-negative numbers."""
    return np.maximum(-signed, 0)


def render(
    values: Floats, region: Region, width: int, height: int, peak: float, side: int = 512, *, native: bool = False
) -> bytes:
    """Return a PNG (RGBA) of `values` (rows, columns), laid over the picture of `width` × `height` px.

    The longer side of the PNG has `side` px.
    """
    file = io.BytesIO()
    layer(values, region, width, height, peak, side, native=native).save(file, "PNG", compress_level=3)
    return file.getvalue()


def layer(
    values: Floats, region: Region, width: int, height: int, peak: float, side: int, *, native: bool = False
) -> Image.Image:
    """Return an RGBA picture of `values` (rows, columns): smooth between the places, or cell by cell if `native`.

    Colour and opacity run from 0 to `peak`; a flat map (peak 0) is transparent. Outside of `region` (left, top, right,
    bottom in picture px) nothing is drawn.
    """
    scale = side / max(width, height)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    levels = np.maximum(values, 0) / peak if peak > 0 else np.zeros_like(values)
    left, top, right, bottom = (edge * scale for edge in region)
    rows, columns = values.shape
    horizontal, vertical = (right - left) / columns, (bottom - top) / rows
    grid = Image.fromarray(np.pad(levels.astype(np.float32), 1, mode="edge"))
    placed = grid.transform(
        size,
        Image.Transform.AFFINE,
        (1 / horizontal, 0, 1 - left / horizontal, 0, 1 / vertical, 1 - top / vertical),
        Image.Resampling.NEAREST if native else Image.Resampling.BICUBIC,
    )
    shown = np.asarray(placed).clip(0, 1)
    alpha = np.clip(shown / FULL_ALPHA_FROM, 0, 1) * _inside(size, (left, top, right, bottom))
    return Image.fromarray(
        np.dstack([_colours()[(shown * (LEVELS - 1)).round().astype(int)], (alpha * 255).round().astype(np.uint8)])
    )


def legend_colours(number: int) -> list[str]:
    """Return `number` colours from low to high, as #rrggbb."""
    picked = _colours()[np.linspace(0, LEVELS - 1, number).round().astype(int)]
    return ["#" + bytes(colour).hex() for colour in picked]


def _inside(size: tuple[int, int], region: Region) -> npt.NDArray[np.bool_]:
    left, top, right, bottom = region
    x, y = np.arange(size[0]) + 0.5, np.arange(size[1]) + 0.5
    return ((y >= top) & (y < bottom))[:, None] & ((x >= left) & (x < right))[None, :]


@cache
def _colours() -> npt.NDArray[np.uint8]:
    """Return the scale, uint8 (256, 3), dark to light."""
    anchors = np.array([[int(colour[place : place + 2], 16) for place in (1, 3, 5)] for colour in ANCHORS]) / 255
    linear = np.where(anchors <= 0.04045, anchors / 12.92, ((anchors + 0.055) / 1.055) ** 2.4)
    lab = np.cbrt(linear @ OKLAB.T) @ OKLAB_FROM_LMS.T
    lab[:, 0] = np.linspace(lab[0, 0], lab[-1, 0], len(lab))
    steps = np.linspace(0, len(anchors) - 1, LEVELS)
    smooth = np.column_stack([np.interp(steps, np.arange(len(anchors)), lab[:, channel]) for channel in range(3)])
    lms = (smooth @ np.linalg.inv(OKLAB_FROM_LMS).T) ** 3
    rgb = (lms @ np.linalg.inv(OKLAB).T).clip(0, 1)
    encoded = np.where(rgb <= 0.0031308, rgb * 12.92, 1.055 * rgb ** (1 / 2.4) - 0.055)
    return (encoded * 255).round().astype(np.uint8)
