"""Smooth random fields, the clouds and honeycombs that skin is made of."""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter

Field = NDArray[np.floating]
"""One number a pixel, (height, width); float32 for speed."""

GRAIN = 1.5
"""Standard deviation of the blur in pixels of the coarse grid on which clouds are made."""


def blurred(field: Field, deviation: float) -> Field:
    """Return `field` under a Gaussian of so many pixels."""
    blur: Field = gaussian_filter(field, deviation, truncate=3.0)
    return blur


def clouds(rng: Generator, shape: tuple[int, int], scale: float) -> Field:
    """Return smooth noise of mean 0 and deviation 1 whose features are `scale` pixels wide.

    Wide clouds are blurred on a coarse grid and enlarged, so that every scale costs about the same.
    """
    step = max(scale / GRAIN, 1.0)
    height, width = (int(np.ceil(side / step)) + 4 for side in shape)
    coarse = blurred(rng.standard_normal((height, width), dtype=np.float32), min(scale, GRAIN))
    coarse = (coarse - coarse.mean()) / coarse.std()
    box = (2, 2, 2 + shape[1] / step, 2 + shape[0] / step)
    return np.asarray(Image.fromarray(coarse).resize(shape[::-1], Image.Resampling.BICUBIC, box=box), dtype=np.float32)


def cells(rng: Generator, shape: tuple[int, int], spacing: float, *, jitter: float = 0.15) -> Field:
    """Return a honeycomb in [0, 1]: 1 in the middle of a cell, 0 on the lines between cells.

    `spacing` is the distance of neighbouring cells in pixels, `jitter` the deviation of a cell's place in spacings.
    """
    seeds = np.zeros(shape, dtype=np.float32)
    rows, columns = np.mgrid[-1 : shape[0] / (spacing * 0.866) + 1, -1 : shape[1] / spacing + 1]
    columns = columns + 0.5 * (rows % 2)
    places = np.stack([rows * 0.866, columns]) + jitter * rng.standard_normal((2, *rows.shape))
    row, column = (places * spacing).astype(int).reshape(2, -1)
    seen = (row >= 0) & (row < shape[0]) & (column >= 0) & (column < shape[1])
    np.add.at(seeds, (row[seen], column[seen]), rng.uniform(0.75, 1.25, seen.sum()).astype(np.float32))
    blur = blurred(seeds, spacing * 0.24)
    low, high = np.percentile(blur[::4, ::4], (8, 85)).tolist()
    share: Field = ((blur - low) / (high - low)).clip(0, 1)
    return share


def step(field: Field, low: float, high: float) -> Field:
    """Return 0 below `low`, 1 above `high` and a smooth rise between them."""
    share: Field = ((field - low) / (high - low)).clip(0, 1)
    return share * share * (3 - 2 * share)
