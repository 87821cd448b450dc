"""Is it the same map? Under small changes of the picture it should be, without the network's weights it should not."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import affine_transform
from scipy.stats import rankdata

from evaluation.metrics.number import Number, between, undefined
from evaluation.metrics.resampling import REPLICATES, draws, summed
from evaluation.metrics.sample import Floats, Integers

Grid = npt.NDArray[Any]
Input = npt.NDArray[np.float32]
DEGREES = 10.0
NOISE = 0.05
"""Standard deviation of the noise, in standard deviations of the network's input."""
CONSTANT = 1e-6


def is_finite(grid: Grid) -> bool:
    """A map of numbers only."""
    return bool(np.isfinite(grid).all())


def is_constant(grid: Grid) -> bool:
    """A map of numbers that are all the same: it says nothing."""
    return is_finite(grid) and float(np.ptp(grid)) <= CONSTANT * float(np.abs(grid).max())


def can_be_used(grid: Grid) -> bool:
    return is_finite(grid) and not is_constant(grid)


def spearman(one: Grid, other: Grid) -> float | None:
    """Return Spearman's rank correlation of two grids' values, ties at their mean rank; None if one cannot be used."""
    if one.size < 2 or not (can_be_used(one) and can_be_used(other)):
        return None
    return float(np.corrcoef(rankdata(one), rankdata(other))[0, 1])


def changed(inputs: Input, rng: np.random.Generator) -> dict[str, Input]:
    """Return a network's input (height, width, 3) after each small change that should not matter."""
    noise = rng.normal(0, NOISE * float(inputs.std()), inputs.shape).astype(np.float32)
    return {
        "flipped left to right": inputs[:, ::-1],
        "flipped top to bottom": inputs[::-1],
        "turned left": turned(inputs, DEGREES),
        "turned right": turned(inputs, -DEGREES),
        "with noise": inputs + noise,
    }


def turned_back(grid: Grid, name: str) -> Grid:
    """Return the map of a changed picture in the place of the original's; what came from outside is not a number."""
    back: dict[str, Callable[[Grid], Grid]] = {
        "flipped left to right": lambda found: found[:, ::-1],
        "flipped top to bottom": lambda found: found[::-1],
        "turned left": lambda found: _within(found, -DEGREES),
        "turned right": lambda found: _within(found, DEGREES),
        "with noise": lambda found: found,
    }
    return back[name](grid)


def stability(grid: Grid, after: Grid, name: str) -> float | None:
    """Return Spearman's correlation of a map with that of the changed picture, turned back, where both are known."""
    back = turned_back(after, name)
    known = np.isfinite(back)
    return spearman(grid[known], back[known]) if np.isfinite(after).all() else None


def turned(values: Grid, degrees: float, *, outside: float | None = None) -> Grid:
    """Turn (rows, columns) or (rows, columns, K) about the middle; the border is mirrored, or filled with `outside`."""
    angle = np.deg2rad(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    middle = (np.array(values.shape[:2]) - 1) / 2
    mode, fill = ("reflect", 0.0) if outside is None else ("constant", outside)
    layers = values.reshape(*values.shape[:2], -1)
    found = [
        affine_transform(layers[..., place], turn, middle - turn @ middle, order=1, mode=mode, cval=fill)
        for place in range(layers.shape[2])
    ]
    return np.stack(found, axis=-1).reshape(values.shape).astype(values.dtype)


def _within(grid: Grid, degrees: float) -> Grid:
    """Cells that came from beyond the border after turning there or back are unknown."""
    known = turned(np.ones(grid.shape), degrees, outside=0.0) > 0.99
    return np.where(known, turned(grid.astype(np.float64), degrees), np.nan)


def mean_likeness(values: Floats, lesions: Integers, *, replicates: int = REPLICATES) -> Number:
    """Return the mean of values (n pictures, s seeds) with a 95 % interval; not-a-numbers are left out.

    Lesions and seeds are both drawn, since both are samples. Source: the pigeonhole bootstrap of Owen 2007,
    doi:10.1214/07-AOAS122.
    """
    known = np.isfinite(values)
    if not known.any():
        return undefined("no map can be compared")
    count, seeds = int(lesions.max()) + 1, values.shape[1]
    totals = summed(np.where(known, values, 0), lesions, count)
    sizes = summed(known.astype(np.float64), lesions, count)
    chosen = np.random.default_rng(seeds).multinomial(seeds, np.full(seeds, 1 / seeds), replicates)
    of_lesions = np.concatenate(
        [np.hstack([weights @ totals, weights @ sizes]) for weights in draws(count, replicates)]
    )
    above, below = (of_lesions[:, :seeds] * chosen).sum(1), (of_lesions[:, seeds:] * chosen).sum(1)
    drawn = np.divide(above, below, out=np.full(replicates, np.nan), where=below > 0)
    return between(float(values[known].mean()), drawn)
