"""The pictures that every bundle is asked about: made here, the same each time, of no patient."""

import numpy as np
from numpy.typing import NDArray

HEIGHT, WIDTH = 300, 400
SEED = 20180301


def pictures() -> list[NDArray[np.uint8]]:
    """Return six RGB pictures, each uint8 (300, 400, 3): noise, gradient, a dark spot on skin, black, grey, white."""
    return [_noise(), _gradient(), _spot(), _plain(0), _plain(128), _plain(255)]


def _noise() -> NDArray[np.uint8]:
    return np.random.default_rng(SEED).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)


def _gradient() -> NDArray[np.uint8]:
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    return np.stack([255 * rows // HEIGHT, 255 * columns // WIDTH, 255 - 255 * rows // HEIGHT], -1).astype(np.uint8)


def _spot() -> NDArray[np.uint8]:
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    inside = (rows - HEIGHT / 2) ** 2 + (columns - WIDTH / 2) ** 2 < 80**2
    return np.where(inside[..., None], np.array([95, 60, 45], np.uint8), np.array([225, 180, 160], np.uint8))


def _plain(value: int) -> NDArray[np.uint8]:
    return np.full((HEIGHT, WIDTH, 3), value, np.uint8)
