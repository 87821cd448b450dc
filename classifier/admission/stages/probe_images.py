"""The pictures that every bundle is asked about: drawn here, the same each time, and views of one real photograph."""

import io
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from classifier.inference.input.images import FORMATS

HEIGHT, WIDTH = 300, 400
SEED = 20180301
PACKAGE, PHOTOGRAPH = "dermapred", "dermapred/examples/example_image.jpg"
VIEWS = (1.0, 0.75, 0.5)
"""Shares of the photograph's sides, around its middle, where the lesion is."""

Pixels = NDArray[np.uint8]


def pictures() -> list[Pixels]:
    """Return six RGB pictures, each uint8 (300, 400, 3): noise, gradient, a dark spot on skin, black, grey, white."""
    return [_noise(), _gradient(), _spot(), _plain(0), _plain(128), _plain(255)]


def drawn_and_real() -> list[Pixels]:
    """Return what two engines are compared on: the drawn pictures, and the photograph's views where it is installed."""
    jpeg = photograph()
    return [*pictures(), *(views(jpeg) if jpeg else ())]


def photograph() -> bytes | None:
    """Return the JPEG file of a lesion that the package dermapred ships, or None where that is not installed."""
    try:
        return Path(str(distribution(PACKAGE).locate_file(PHOTOGRAPH))).read_bytes()
    except (PackageNotFoundError, OSError):
        return None


def views(jpeg: bytes, *, fast: bool = False) -> list[Pixels]:
    """Return the photograph whole and cut closer twice, each also mirrored: uint8 (height, width, 3).

    `fast` decodes as `tf.io.decode_jpeg` does it with INTEGER_FAST and fancy_upscaling=False, pixel by pixel.
    """
    with Image.open(io.BytesIO(jpeg), formats=FORMATS) as image:
        if fast:
            image.decoderconfig = (1, 1)  # scale 1, libjpeg's fastest DCT
        whole = np.asarray(image.convert("RGB"))
    cut = [_middle(whole, share) for share in VIEWS]
    return [view for each in cut for view in (each, np.ascontiguousarray(each[:, ::-1]))]


def _middle(whole: Pixels, share: float) -> Pixels:
    height, width = (round(side * share) for side in whole.shape[:2])
    top, left = (whole.shape[0] - height) // 2, (whole.shape[1] - width) // 2
    return np.ascontiguousarray(whole[top : top + height, left : left + width])


def _noise() -> Pixels:
    return np.random.default_rng(SEED).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)


def _gradient() -> Pixels:
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    return np.stack([255 * rows // HEIGHT, 255 * columns // WIDTH, 255 - 255 * rows // HEIGHT], -1).astype(np.uint8)


def _spot() -> Pixels:
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    inside = (rows - HEIGHT / 2) ** 2 + (columns - WIDTH / 2) ** 2 < 80**2
    return np.where(inside[..., None], np.array([95, 60, 45], np.uint8), np.array([225, 180, 160], np.uint8))


def _plain(value: int) -> Pixels:
    return np.full((HEIGHT, WIDTH, 3), value, np.uint8)
