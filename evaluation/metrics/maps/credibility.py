"""Where the heat of a map lies: its share inside the lesion against what luck and a blob in the middle would reach.

A map is a signed grid (rows, columns) over a `region` of the picture (left, top, right, bottom in px). Heat is its
positive part, interpolated between the middles of the cells, on a raster over what the map covers of the picture.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import map_coordinates
from scipy.optimize import brentq

from evaluation.metrics.maps.rules import Against, Better
from evaluation.metrics.number import Number, between
from evaluation.metrics.resampling import REPLICATES, draws, summed
from evaluation.metrics.sample import Booleans, Floats, Integers

Region = tuple[float, float, float, float]
RASTER = 96
"""Points each way."""
LARGEST_MASK = 0.9
"""A mask above this share of the picture is left out: everything lies inside it."""
RANDOM_MAPS = 10
WIDEST = 100.0
"""A standard deviation, in widths of the picture, at which a bell is flat."""
FEWEST_LESIONS = 30
FEW = f"fewer than {FEWEST_LESIONS} lesions: the interval may be too narrow"
BASELINES = ("gaussian", "random")
KINDS = ("map", *BASELINES)


@dataclass(frozen=True)
class Located:
    """`area` is the mask's share of what the map covers; `share` and `pointing` of the map and of each baseline."""

    area: float
    share: dict[str, float]
    pointing: dict[str, float]

    def ratio(self, kind: str) -> float:
        return self.share[kind] / self.area


def located(grid: npt.NDArray[Any], region: Region, mask: Booleans, rng: np.random.Generator) -> Located | None:
    """Compare a map's heat with a mask (height, width); None where the mask is left out.

    Left out: a mask above 90 % of the picture, and one of which the map covers nothing.
    """
    x, y = raster(region, *mask.shape)
    inside = mask[np.ix_(y.astype(np.intp), x.astype(np.intp))]
    if mask.mean() > LARGEST_MASK or not inside.any():
        return None
    heat = on_raster(np.maximum(grid, 0), region, x, y)
    blob = centre_gaussian(heat)
    shuffled = [on_raster(shuffle(np.maximum(grid, 0), rng), region, x, y) for _ in range(RANDOM_MAPS)]
    return Located(
        float(inside.mean()),
        {
            "map": inside_share(heat, inside),
            "gaussian": inside_share(blob, inside),
            "random": float(np.mean([inside_share(other, inside) for other in shuffled])),
        },
        {
            "map": pointing(heat, inside),
            "gaussian": pointing(blob, inside),
            "random": float(np.mean([pointing(other, inside) for other in shuffled])),
        },
    )


def inside_share(heat: Floats, inside: Booleans) -> float:
    """Return Σ heat inside the mask ÷ Σ heat; a map without heat has the share of the mask's area.

    Source: the inside-total relevance ratio of Kohlbrenner et al. 2020, arXiv:1910.09840.
    """
    total = heat.sum()
    return float(heat[inside].sum() / total) if total > 0 else float(inside.mean())


def pointing(heat: Floats, inside: Booleans) -> float:
    """Return 1 where the strongest heat lies inside the mask, 0 where outside, the share of several equal ones.

    Source: the pointing game of Zhang et al. 2018, doi:10.1007/s11263-017-1059-x, without its tolerance of 15 px.
    """
    return float(inside[heat >= heat.max() * (1 - 1e-9)].mean())


def raster(region: Region, height: int, width: int) -> tuple[Floats, Floats]:
    """Return x and y in px, (RASTER,) each, of points that lie evenly over what the region covers of the picture."""
    left, top, right, bottom = max(region[0], 0), max(region[1], 0), min(region[2], width), min(region[3], height)
    steps = (np.arange(RASTER) + 0.5) / RASTER
    return left + (right - left) * steps, top + (bottom - top) * steps


def on_raster(grid: npt.NDArray[Any], region: Region, x: Floats, y: Floats) -> Floats:
    """Interpolate a grid linearly at all points (x, y); beyond the middles of its outer cells it stays level."""
    rows, columns = grid.shape
    left, top, right, bottom = region
    places = np.meshgrid(
        (y - top) / (bottom - top) * rows - 0.5, (x - left) / (right - left) * columns - 0.5, indexing="ij"
    )
    return np.asarray(map_coordinates(grid.astype(np.float64), places, order=1, mode="nearest"))


def shuffle(grid: npt.NDArray[Any], rng: np.random.Generator) -> npt.NDArray[Any]:
    """Return the grid's own values at random places: as much heat, nowhere on purpose."""
    return rng.permutation(grid.ravel()).reshape(grid.shape)


def centre_gaussian(heat: Floats) -> Floats:
    """Return a bell in the middle, cut off at the border, whose variance along each axis is the heat's own.

    Heat that is spread wider than evenly, and none at all, give an even map.
    """
    return np.outer(_bell(heat.sum(axis=1)), _bell(heat.sum(axis=0)))


def _bell(marginal: Floats) -> Floats:
    size = len(marginal)
    places = (np.arange(size) + 0.5) / size - 0.5

    def bell(log_deviation: float) -> Floats:
        return np.asarray(np.exp(-((places / np.exp(log_deviation)) ** 2) / 2))

    wanted = _variance(marginal, places) if marginal.sum() > 0 else np.inf
    narrow, wide = np.log(0.1 / size), np.log(WIDEST)
    if wanted >= _variance(bell(wide), places):
        return np.ones(size)
    if wanted <= _variance(bell(narrow), places):
        return bell(narrow)
    return bell(float(brentq(lambda deviation: _variance(bell(deviation), places) - wanted, narrow, wide)))


def _variance(weights: Floats, places: Floats) -> float:
    mean = weights @ places / weights.sum()
    return float(weights @ (places - mean) ** 2 / weights.sum())


def means(values: dict[str, Floats], lesions: Integers, *, replicates: int = REPLICATES) -> dict[str, Number]:
    """Return the mean over pictures of each figure (n,) with the 95 % percentile interval by drawing lesions.

    All figures see the same draws, so that the mean of a difference is a paired comparison.
    """
    count = int(lesions.max()) + 1
    columns = np.column_stack([*values.values(), np.ones(len(lesions))])
    totals = summed(columns, lesions, count)
    drawn = np.concatenate([weights @ totals for weights in draws(count, replicates)])
    found = drawn[:, :-1] / drawn[:, -1:]
    note = FEW if count < FEWEST_LESIONS else ""
    return {name: between(float(columns[:, place].mean()), found[:, place], note) for place, name in enumerate(values)}


def against_baselines(figures: dict[str, Floats], lesions: Integers, *, sign: int = 1) -> Against:
    """Return the means of a figure for the map and each baseline; `sign` is -1 where a smaller figure is better."""
    differences = {f"minus_{name}": figures["map"] - figures[name] for name in BASELINES}
    found = means(figures | differences, lesions)
    return Against(**found, better=Better(**{name: _beyond(found[f"minus_{name}"], sign) for name in BASELINES}))


def _beyond(difference: Number, sign: int) -> bool:
    """A difference whose interval touches 0 shows nothing."""
    worst = difference.low if sign > 0 else difference.high
    return worst is not None and sign * worst > 0
