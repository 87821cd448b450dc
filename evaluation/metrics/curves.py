"""Curves with bands for pages and figures, thin enough to travel with a page."""

from typing import Any

import numpy as np

from evaluation.documents.shapes import Bin, Curve, Histogram
from evaluation.metrics import rates
from evaluation.metrics.calibration import equal_width
from evaluation.metrics.number import LEVELS
from evaluation.metrics.resampling import Weights, draws
from evaluation.metrics.sample import Floats, Sample

POINTS = 61
BAND_REPLICATES = 400
HISTOGRAM_BINS = 20


def roc(sample: Sample, k: int) -> Curve | None:
    """Return the ROC curve of one class on a grid of false positive rates, with a pointwise band by lesions."""
    truth = sample.truth == k
    if not truth.any() or truth.all():
        return None
    grid = np.linspace(0, 1, POINTS) ** 2
    return _curve(sample, k, grid, _sensitivity_at)


def precision_recall(sample: Sample, k: int) -> Curve | None:
    """Return precision on a grid of recalls, with a pointwise band by lesions."""
    truth = sample.truth == k
    if not truth.any() or truth.all():
        return None
    found = _curve(sample, k, np.linspace(0, 1, POINTS), _precision_at)
    return {**found, "prevalence": float(truth.mean())}


def reliability(sample: Sample) -> list[Bin]:
    """Return the bins of the top label: pictures, mean confidence, accuracy with its interval."""
    if not sample.images:
        return []
    bins, top = equal_width(sample), sample.probabilities.max(1)
    rows: list[Bin] = []
    for place in range(len(bins.edges) - 1):
        mine = bins.of == place
        number = rates.rate(sample.right[mine], sample.lesions[mine], "no image")
        rows.append(
            {
                "low": float(bins.edges[place]),
                "high": float(bins.edges[place + 1]),
                "images": int(mine.sum()),
                "confidence": float(top[mine].mean()) if mine.any() else None,
                "accuracy": number.value,
                "accuracy_low": number.low,
                "accuracy_high": number.high,
            }
        )
    return rows


def histogram(sample: Sample, k: int) -> Histogram:
    scores, truth = sample.probabilities[:, k], sample.truth == k
    edges = np.linspace(0, 1, HISTOGRAM_BINS + 1)
    own, others = (np.histogram(scores[mask], edges)[0].tolist() for mask in (truth, ~truth))
    return {"edges": edges.tolist(), "positives": own, "negatives": others}


def _curve(sample: Sample, k: int, grid: Floats, at: Any) -> Curve:
    scores = sample.probabilities[:, k]
    order = np.argsort(-scores, kind="stable")
    ordered, truth, lesions = scores[order], (sample.truth == k)[order], sample.lesions[order]
    ends = np.append(np.flatnonzero(np.diff(ordered)), len(ordered) - 1)

    def along(weights: Weights) -> Floats:
        true = np.cumsum(weights * truth, axis=1, dtype=np.float32)[:, ends]
        false = np.cumsum(weights * ~truth, axis=1, dtype=np.float32)[:, ends]
        return np.stack([at(grid, one, other) for one, other in zip(true, false, strict=True)])

    drawn = np.concatenate([along(part[:, lesions]) for part in draws(sample.lesion_count, BAND_REPLICATES)])
    values = along(np.ones((1, len(ordered)), np.float32))[0]
    low, high = np.nanquantile(drawn, LEVELS, axis=0)
    return {
        "x": _short(grid),
        "y": _short(values),
        "low": _short(np.minimum(low, values)),
        "high": _short(np.maximum(high, values)),
    }


def _sensitivity_at(grid: Floats, true: Floats, false: Floats) -> Floats:
    """The largest sensitivity whose false positive rate is at most each value of the grid."""
    if not true[-1] or not false[-1]:
        return np.full(len(grid), np.nan)
    place = np.searchsorted(false / false[-1], grid + 1e-9, side="right") - 1
    return np.where(place >= 0, true[np.maximum(place, 0)] / true[-1], 0.0)


def _precision_at(grid: Floats, true: Floats, false: Floats) -> Floats:
    """The precision at the first point that reaches each recall of the grid."""
    if not true[-1]:
        return np.full(len(grid), np.nan)
    place = np.minimum(np.searchsorted(true / true[-1], grid - 1e-9, side="left"), len(true) - 1)
    first = int(np.searchsorted(true, 0, side="right"))
    place = np.maximum(place, min(first, len(true) - 1))
    return np.asarray(true[place] / np.maximum(true[place] + false[place], 1e-9))


def _short(values: Floats) -> list[float]:
    return [round(float(value), 4) for value in values]
