"""Rates of a class: the share of right pictures, where several pictures show one lesion.

The interval is the equal-tailed one of a beta-binomial posterior over lesions: rate and intra-class correlation are
uniform on (0, 1). In simulations it alone kept 95 % at all sizes; bootstraps collapse to [1, 1] when all are right.
"""

import numpy as np
from scipy.special import betaln

from evaluation.metrics.number import FEW_LESIONS, LEVELS, Number, undefined
from evaluation.metrics.sample import Booleans, Floats, Integers

RATES, CORRELATIONS = 240, 48
COARSE = 64
NEGLIGIBLE = 1e-7


def rate(right: Booleans, lesions: Integers, reason: str) -> Number:
    """Return the share of `right` (n,) with its interval; undefined for that `reason` where n is 0."""
    if not len(right):
        return undefined(reason)
    hits, sizes = per_lesion(right, lesions)
    low, high = interval(hits, sizes)
    few = f"only {len(sizes)} lesion{'s' if len(sizes) > 1 else ''}" if len(sizes) < FEW_LESIONS else ""
    return Number(float(right.mean()), low, high, few)


def interval(hits: Integers, sizes: Integers) -> tuple[float, float]:
    """Return the posterior interval of a rate from (L,) right pictures and pictures of each lesion.

    Its end is 1 if all are right and 0 if none is.
    """
    pairs, counts = np.unique(np.stack([hits, sizes], 1), axis=0, return_counts=True)
    edges = _plausible(pairs, counts)
    mass, rates = _posterior(pairs, counts, edges, RATES)
    low, high = np.interp(LEVELS, np.concatenate([[0.0], np.cumsum(mass)]), _edges(rates))
    total_hits, total = int(hits.sum()), int(sizes.sum())
    value = total_hits / total
    return (
        0.0 if total_hits == 0 else min(float(low), value),
        1.0 if total_hits == total else max(float(high), value),
    )


def per_lesion(right: Booleans, lesions: Integers) -> tuple[Integers, Integers]:
    """Return (right pictures, pictures) of each lesion that occurs."""
    _, place = np.unique(lesions, return_inverse=True)
    place = place.reshape(-1)
    return np.bincount(place, right).astype(np.int64), np.bincount(place)


def _plausible(pairs: Integers, counts: Integers) -> tuple[float, float]:
    """The part of (0, 1) that holds nearly all of the posterior, found on coarser grids."""
    edges = (0.0, 1.0)
    for _ in range(2):
        mass, rates = _posterior(pairs, counts, edges, COARSE)
        kept = np.flatnonzero(mass > NEGLIGIBLE)
        step = rates[1] - rates[0]
        edges = (max(0.0, rates[kept[0]] - 1.5 * step), min(1.0, rates[kept[-1]] + 1.5 * step))
    return edges


def _posterior(pairs: Integers, counts: Integers, edges: tuple[float, float], size: int) -> tuple[Floats, Floats]:
    """Return (mass, rates), both (size,), on a grid of cells between the edges, summed over the correlation."""
    rates = edges[0] + (np.arange(size) + 0.5) / size * (edges[1] - edges[0])
    correlation = (np.arange(CORRELATIONS) + 0.5) / CORRELATIONS
    strength = (1 - correlation) / correlation
    a, b = rates[:, None] * strength, (1 - rates)[:, None] * strength
    none = betaln(a, b)
    likelihood = np.zeros(a.shape)
    for (hit, total), count in zip(pairs, counts, strict=True):
        likelihood += count * (betaln(a + hit, b + total - hit) - none)
    mass = np.exp(likelihood - likelihood.max()).sum(1)
    return mass / mass.sum(), rates


def _edges(rates: Floats) -> Floats:
    half = (rates[1] - rates[0]) / 2
    return np.concatenate([[rates[0] - half], rates + half])
