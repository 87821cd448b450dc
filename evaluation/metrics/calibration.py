"""Calibration: whether a probability means what it says, by the top label of each picture."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from evaluation.metrics.number import Number
from evaluation.metrics.resampling import REPLICATES, SEED, draws, summed
from evaluation.metrics.sample import Floats, Integers, Sample

BINS = 15
FEW_IMAGES = 500


@dataclass(frozen=True, eq=False)
class Bins:
    """Bins of the top probability: `of` (n,) is each picture's bin, `edges` (k + 1,) their limits."""

    of: Integers
    edges: Floats


def equal_width(sample: Sample) -> Bins:
    """15 bins of equal width; a value on an edge belongs to the bin below it, as in the usual definition."""
    edges = np.linspace(0, 1, BINS + 1)
    return Bins(np.clip(np.searchsorted(edges, _top(sample), side="left") - 1, 0, BINS - 1), edges)


def equal_mass(sample: Sample) -> Bins:
    """15 bins with nearly as many pictures each; equal values stay in one bin."""
    top = _top(sample)
    edges = np.unique(np.quantile(top, np.linspace(0, 1, BINS + 1)))
    return Bins(np.clip(np.searchsorted(edges, top, side="left") - 1, 0, max(0, len(edges) - 2)), edges)


def error(sample: Sample, bins: Bins) -> float:
    """Return the expected calibration error: the mean over pictures of |accuracy - confidence| of their bin."""
    size = len(bins.edges)
    gap = np.bincount(bins.of, sample.right - _top(sample), size)
    return float(np.abs(gap).sum() / sample.images)


def number(sample: Sample, bins: Bins, *, replicates: int = REPLICATES) -> Number:
    """Return the error; from 500 pictures up with a bias-corrected bootstrap interval (Efron 1987, without a)."""
    value = error(sample, bins)
    if sample.images < FEW_IMAGES:
        return Number(value, note=f"no interval below {FEW_IMAGES} images: the error is biased upwards there")
    gaps = _by_bin(sample.right - _top(sample), bins)
    lesions = summed(gaps, sample.lesions, sample.lesion_count)
    sizes = np.bincount(sample.lesions, minlength=sample.lesion_count)
    drawn = np.concatenate(
        [np.abs(weights @ lesions).sum(1) / (weights @ sizes) for weights in draws(sample.lesion_count, replicates)]
    )
    below = np.clip((drawn < value).mean(), 0.5 / len(drawn), 1 - 0.5 / len(drawn))
    shift = 2 * norm.ppf(below)
    low, high = np.quantile(drawn, norm.cdf(shift + norm.ppf([0.025, 0.975])))
    return Number(value, min(float(low), value), max(float(high), value))


def if_perfect(sample: Sample, bins: Bins, *, replicates: int = 200) -> float:
    """Return the mean error that a perfectly calibrated model with these probabilities would show at this n."""
    rng = np.random.default_rng(SEED)
    top = _top(sample)
    chance = (rng.random((replicates, sample.images)) < top) - top
    size = len(bins.edges)
    return float(np.mean([np.abs(np.bincount(bins.of, row, size)).sum() for row in chance]) / max(1, sample.images))


def _top(sample: Sample) -> Floats:
    return np.asarray(sample.probabilities.max(1))


def _by_bin(values: Floats, bins: Bins) -> Floats:
    table = np.zeros((len(values), len(bins.edges)))
    table[np.arange(len(values)), bins.of] = values
    return table
