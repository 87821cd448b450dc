"""95 % intervals of rates whose unit is the lesion: several pictures of one lesion are not independent."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln

SEED = 1
REPLICATES = 4000
LEVELS = (0.025, 0.975)
Interval = tuple[float, float]


def rate_interval(right: NDArray[np.bool_], lesions: NDArray) -> Interval:
    """Return the equal-tailed beta-binomial posterior interval of a rate; right and lesions are (n,).

    The rate is uniform on (0, 1), so is the correlation within a lesion; both are put on a grid.
    """
    hits, sizes = per_lesion(right, lesions)
    rate = (np.arange(400) + 0.5)[:, None] / 400
    correlation = (np.arange(100) + 0.5)[None, :] / 100
    strength = (1 - correlation) / correlation
    a, b = rate * strength, (1 - rate) * strength
    likelihood = np.zeros(a.shape)
    for (hit, size), count in zip(*np.unique(np.stack([hits, sizes], 1), axis=0, return_counts=True), strict=True):
        likelihood += count * (betaln(a + hit, b + size - hit) - betaln(a, b))
    mass = np.exp(likelihood - likelihood.max()).sum(1)
    low, high = np.interp(LEVELS, np.cumsum(mass) / mass.sum(), rate[:, 0])
    return (0.0 if not right.any() else float(low), 1.0 if right.all() else float(high))


def accuracy_interval(right: NDArray[np.bool_], lesions: NDArray) -> Interval:
    """Return the percentile interval of the share of right pictures, lesions drawn with replacement."""
    hits, sizes = per_lesion(right, lesions)
    drawn = np.random.default_rng(SEED).integers(0, len(sizes), (REPLICATES, len(sizes)))
    low, high = np.quantile(hits[drawn].sum(1) / sizes[drawn].sum(1), LEVELS)
    return float(low), float(high)


def balanced_interval(right: NDArray[np.bool_], lesions: NDArray, labels: NDArray[np.int64]) -> Interval:
    """Return the interval of the mean sensitivity: a bootstrap of the lesions of each class.

    Each class also owns half a right and half a wrong lesion of one picture, so that a class without errors still
    varies.
    """
    rng = np.random.default_rng(SEED)
    rates = []
    for label in np.unique(labels):
        hits, sizes = per_lesion(right[labels == label], lesions[labels == label])
        hits, weights = np.append(hits, [1, 0]), np.append(np.ones(len(sizes)), [0.5, 0.5])
        drawn = rng.multinomial(len(sizes) + 1, weights / weights.sum(), REPLICATES)
        rates.append(drawn @ hits / (drawn @ np.append(sizes, [1, 1])))
    low, high = np.quantile(np.mean(rates, axis=0), LEVELS)
    return float(low), float(high)


def per_lesion(right: NDArray[np.bool_], lesions: NDArray) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return (right pictures, pictures) of each lesion."""
    _, place = np.unique(lesions, return_inverse=True)
    return np.bincount(place, right).astype(np.int64), np.bincount(place)
