"""The ISIC sheet: what the challenges' own scoring gives for the same numbers, without intervals.

Written from the rules of isic-challenge-scoring 5.8: a tie of the largest probability is wrong for every class, one
class against the rest is cut at > 0.5, empty denominators count 1, one picture has no weight. `pauc_2024` is the area
between the curve and the line of 80 % sensitivity (0 to 0.2), `auc_sens_80` the area below that part of the curve.
"""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

from evaluation.documents.shapes import IsicSheet
from evaluation.metrics.sample import Booleans, Floats, Integers, Sample

NO_WEIGHT = frozenset({"ISIC_0035068"})
CUT = 0.5
SENSITIVITY = 0.8


def weights_of(names: Sequence[str]) -> Floats:
    """Return (n,) weights: 0 for the one picture that the challenge does not count."""
    return np.array([0.0 if name.removesuffix(".jpg") in NO_WEIGHT else 1.0 for name in names])


def sheet(sample: Sample, weights: Floats) -> IsicSheet:
    per_class = {code: _of_class(sample, k, weights) for k, code in enumerate(sample.codes)}
    names = next(iter(per_class.values())).keys() - {"support"}
    means = {name: _mean([entry[name] for entry in per_class.values()]) for name in sorted(names)}
    return {
        "images": int((weights > 0).sum()),
        "balanced_accuracy": balanced_accuracy(sample, weights),
        "macro": means,
        "per_class": per_class,
        "confusion": {"classes": list(sample.codes), "counts": confusion(sample, weights).tolist()},
        "averaged_over": [code for code, entry in per_class.items() if entry["support"]],
    }


def balanced_accuracy(sample: Sample, weights: Floats) -> float | None:
    """Return the mean over the true classes of the weight that was found; ties are found by nobody."""
    size = len(sample.codes)
    total = np.bincount(sample.truth, weights, size)
    found = np.bincount(sample.truth, weights * (sample.right & _decided(sample)), size)
    return float((found[total > 0] / total[total > 0]).mean()) if (total > 0).any() else None


def confusion(sample: Sample, weights: Floats) -> Integers:
    """Return counts (C, C), rows are truths; a picture without weight or with a tie is in no cell."""
    counted = _decided(sample) & (weights > 0)
    counts = np.zeros((len(sample.codes),) * 2, np.int64)
    np.add.at(counts, (sample.truth[counted], sample.predicted[counted]), 1)
    return counts


def _decided(sample: Sample) -> Booleans:
    """Who has one largest probability (n,)."""
    return np.asarray((sample.probabilities == sample.probabilities.max(1, keepdims=True)).sum(1) == 1)


def _of_class(sample: Sample, k: int, weights: Floats) -> dict[str, int | float | None]:
    truth, scores = sample.truth == k, sample.probabilities[:, k]
    said = scores > CUT
    tp, fn = weights[truth & said].sum(), weights[truth & ~said].sum()
    fp, tn = weights[~truth & said].sum(), weights[~truth & ~said].sum()
    curve = _curve(truth, scores, weights)
    area = None if curve is None else above_sensitivity(*curve)
    return {
        "support": int(weights[truth].sum()),
        "accuracy": _share(tp + tn, tp + tn + fp + fn),
        "sensitivity": _share(tp, tp + fn),
        "specificity": _share(tn, tn + fp),
        "dice": _share(2 * tp, 2 * tp + fp + fn),
        "ppv": _share(tp, tp + fp),
        "npv": _share(tn, tn + fn),
        "auc": None if curve is None else float(roc_auc_score(truth, scores, sample_weight=weights)),
        "auc_sens_80": None if area is None else area[0],
        "pauc_2024": None if area is None else area[1],
        "average_precision": _average_precision(truth, scores, weights),
    }


def above_sensitivity(false: Floats, true: Floats, at: float = SENSITIVITY) -> tuple[float, float]:
    """Return (area under the curve to the right of sensitivity `at`, area between it and the line of `at`)."""
    first = int(np.searchsorted(true, at, side="left"))
    start = float(np.interp(at, true[first - 1 : first + 1], false[first - 1 : first + 1]))
    area = float(np.trapezoid(np.insert(true[first:], 0, at), np.insert(false[first:], 0, start)))
    return area, area - at * (1 - start)


def _curve(truth: Booleans, scores: Floats, weights: Floats) -> tuple[Floats, Floats] | None:
    kept = weights > 0
    if len(np.unique(truth[kept])) < 2:
        return None
    false, true, _ = roc_curve(truth[kept], scores[kept], sample_weight=weights[kept], drop_intermediate=False)
    return false, true


def _average_precision(truth: Booleans, scores: Floats, weights: Floats) -> float | None:
    if not weights[truth].sum():
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return float(average_precision_score(truth, scores, sample_weight=weights))


def _share(part: float, whole: float) -> float:
    """An empty denominator is a gift of 1, as in the challenge."""
    return float(part / whole) if whole else 1.0


def _mean(values: list[float | None]) -> float | None:
    known: Integers | Any = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None
