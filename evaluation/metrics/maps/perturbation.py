"""Does the answer hang on what the map marks? The picture is taken away, or given back, in the order of the heat.

Everything happens on the network's input (height, width, 3), cut into BLOCKS × BLOCKS blocks.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse
from scipy.ndimage import gaussian_filter, map_coordinates
from scipy.sparse.linalg import splu

from evaluation.metrics.sample import Booleans, Floats, Integers

Input = npt.NDArray[np.float32]
Answer = Callable[[Iterable[Input]], Floats]
"""Probabilities (n,) of the explained class for n inputs."""
BLOCKS = 32
STEPS = 8
ROAD_SHARES = (0.1, 0.3, 0.5, 0.7, 0.9)
ROAD_NOISE = 0.01
"""Standard deviation of the noise, in standard deviations of the network's input."""
BLUR = 0.08
"""Standard deviation of the blur from which a picture is given back, in widths of the picture."""
NEIGHBOURS = (
    *(((row, column), 1 / 6) for row, column in ((0, 1), (0, -1), (1, 0), (-1, 0))),
    *(((row, column), 1 / 12) for row, column in ((1, 1), (1, -1), (-1, 1), (-1, -1))),
)


class Blocks:
    """An input and its blocks. `seen` (height, width) says what of it is picture and not padding."""

    def __init__(self, inputs: Input, seen: Booleans) -> None:
        self.inputs = inputs
        height, width = inputs.shape[:2]
        self.count = min(BLOCKS, height, width)
        self.rows, self.columns = (np.arange(side) * self.count // side for side in (height, width))
        self.means = np.stack([self._mean(inputs[..., channel]) for channel in range(inputs.shape[2])], axis=-1)
        self.picture = self._mean(seen.astype(np.float64)) > 0.5
        middle = inputs[seen]
        self.colour = middle.mean(axis=0)
        blurred = gaussian_filter(inputs, (BLUR * height, BLUR * width, 0), mode="reflect")
        self.blurred = np.where(seen[..., None], blurred, inputs)

    def _mean(self, values: npt.NDArray[Any]) -> Floats:
        index = (self.rows[:, None] * self.count + self.columns[None, :]).ravel()
        size = self.count**2
        sums = np.bincount(index, values.ravel(), minlength=size) / np.bincount(index, minlength=size)
        return np.asarray(sums.reshape(self.count, self.count))

    def order(self, grid: npt.NDArray[Any], rng: np.random.Generator) -> Integers:
        """Return the blocks of the picture, hottest first; equal ones in random order."""
        places = [(np.arange(self.count) + 0.5) / self.count * side - 0.5 for side in grid.shape]
        heat = map_coordinates(grid.astype(np.float64), np.meshgrid(*places, indexing="ij"), order=1, mode="nearest")
        ranked = np.lexsort((rng.random(heat.size), -heat.ravel()))
        return ranked[self.picture.ravel()[ranked]]

    def first(self, order: Integers, share: float) -> Booleans:
        """Return (BLOCKS, BLOCKS), True for the first `share` of the order."""
        chosen = np.zeros(self.count**2, bool)
        chosen[order[: round(share * len(order))]] = True
        return chosen.reshape(self.count, self.count)

    def pixels(self, chosen: Booleans) -> Booleans:
        return np.asarray(chosen[np.ix_(self.rows, self.columns)][..., None])

    def deleted(self, order: Integers, share: float) -> Input:
        """The hottest `share` has the picture's mean colour."""
        gone = self.pixels(self.first(order, share))
        return np.where(gone, self.colour, self.inputs).astype(np.float32)

    def inserted(self, order: Integers, share: float) -> Input:
        """Only the hottest `share` is sharp."""
        back = self.pixels(self.first(order, share))
        return np.where(back, self.inputs, self.blurred).astype(np.float32)

    def imputed(self, order: Integers, share: float, rng: np.random.Generator) -> Input:
        """The hottest `share` is filled from what is left around it, with noise: its shape tells nothing.

        Source: noisy linear imputation, Rong et al. 2022, arXiv:2202.00449, here of whole blocks: each missing one
        is the weighted mean of its eight neighbours.
        """
        gone = self.first(order, share)
        filled = filled_in(self.means, gone)
        places = np.meshgrid(*(_between(side, self.count) for side in self.inputs.shape[:2]), indexing="ij")
        smooth = np.stack(
            [map_coordinates(filled[..., channel], places, order=1, mode="nearest") for channel in range(3)], axis=-1
        )
        noise = rng.normal(0, ROAD_NOISE * float(self.inputs.std()), smooth.shape)
        return np.where(self.pixels(gone), smooth + noise, self.inputs).astype(np.float32)


def _between(side: int, count: int) -> Floats:
    return (np.arange(side) + 0.5) / side * count - 0.5


def filled_in(values: Floats, gone: Booleans) -> Floats:
    """Return values (rows, columns, K) in which each missing place is the weighted mean of its neighbours."""
    if not gone.any():
        return values
    weights, missing = _neighbours(*gone.shape), gone.ravel()
    rows = weights[missing]
    system = scipy.sparse.diags(np.asarray(rows.sum(axis=1)).ravel()) - rows[:, missing]
    filled = values.copy()
    filled[gone] = splu(system.tocsc()).solve(np.asarray(rows[:, ~missing] @ values[~gone]))
    return filled


@cache
def _neighbours(rows: int, columns: int) -> Any:
    """Return the weights of each place's neighbours, sparse (rows · columns, rows · columns)."""
    row, column = np.divmod(np.arange(rows * columns), columns)
    parts = []
    for (down, right), weight in NEIGHBOURS:
        there = (row + down, column + right)
        inside = (there[0] >= 0) & (there[0] < rows) & (there[1] >= 0) & (there[1] < columns)
        places = (np.flatnonzero(inside), (there[0] * columns + there[1])[inside])
        parts.append(scipy.sparse.csr_matrix((np.full(inside.sum(), weight), places), shape=(rows * columns,) * 2))
    return sum(parts[1:], parts[0]).tocsr()


def deletion(blocks: Blocks, order: Integers, answer: Answer) -> float:
    """Return the area under the explained class's probability while the hottest blocks go first: small is good.

    Source: Petsiuk et al. 2018, arXiv:1806.07421; blocks go to the picture's mean colour.
    """
    return _area(answer(blocks.deleted(order, share) for share in _steps()))


def insertion(blocks: Blocks, order: Integers, answer: Answer) -> float:
    """Return the area while a blurred picture gets its hottest blocks back first: large is good. Source: as above."""
    return _area(answer(blocks.inserted(order, share) for share in _steps()))


def road(blocks: Blocks, order: Integers, answer: Answer, rng: np.random.Generator) -> float:
    """Return half of (least relevant first − most relevant first), averaged over shares removed: large is good.

    Source: Rong et al. 2022, arXiv:2202.00449, combined as in pytorch-grad-cam.
    """
    least = answer(blocks.imputed(order[::-1], share, rng) for share in ROAD_SHARES)
    most = answer(blocks.imputed(order, share, rng) for share in ROAD_SHARES)
    return float((least - most).mean() / 2)


def _steps() -> Sequence[float]:
    return [step / STEPS for step in range(STEPS + 1)]


def _area(curve: Floats) -> float:
    return float(np.trapezoid(curve, dx=1 / STEPS))
