"""The textbook sheet: the usual figures by arg max, each with a 95 % interval whose unit is the lesion."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from evaluation.metrics import auc, calibration, catalogue
from evaluation.metrics.number import FEW_LESIONS, Number, between, undefined
from evaluation.metrics.rates import rate
from evaluation.metrics.resampling import REPLICATES, Weights, cells_by_lesion, draws, summed
from evaluation.metrics.sample import Floats, Integers, Sample

CLIP = 1e-15
NOT_ENOUGH_LESIONS = 30
NO_TRUTH = "no image of this class"
NEVER_PREDICTED = "never predicted"
EMPTY = "no image has a truth among the model's classes"


def sheet(sample: Sample, *, replicates: int = REPLICATES) -> dict[str, Any]:
    """Return the contract's SHEET as JSON, with `ece_mass`, `ties`, `clipped` and counts beside it."""
    counts = confusion(sample)
    document: dict[str, Any] = {
        "images": sample.images,
        "lesions": sample.lesion_count,
        "confusion": {"classes": list(sample.codes), "counts": counts.tolist()},
        "averaged_over": [sample.codes[index] for index in sample.supported],
        "ties": sample.ties,
        "clipped": int((_of_truth(sample) < CLIP).sum()),
    }
    if not sample.images:
        nothing = undefined(EMPTY).to_json()
        return document | dict.fromkeys(catalogue.BY_CODE, nothing) | {"per_class": {}}
    drawn = replicate(sample, replicates)
    areas = [
        auc.area(sample.probabilities[:, k], sample.truth == k, sample.lesions, sample.lesion_count)
        for k in range(len(sample.codes))
    ]
    found = [areas[k] for k in sample.supported]
    headline = headline_values(sample, counts)
    numbers = {name: _few(sample, between(headline[name], values)) for name, values in drawn.values.items()}
    smoothed = Number(headline["balanced_accuracy"], *balanced_interval(sample, replicates))
    wide, mass = calibration.equal_width(sample), calibration.equal_mass(sample)
    numbers |= {
        "balanced_accuracy": smoothed,
        "macro_auc": auc.macro([area for area in found if area is not None]),
        "ece": calibration.number(sample, wide, replicates=replicates),
        "ece_mass": calibration.number(sample, mass, replicates=replicates),
    }
    return (
        document
        | {name: number.to_json() for name, number in numbers.items()}
        | {"ece_if_perfect": calibration.if_perfect(sample, wide)}
        | {"per_class": {code: _of_class(sample, k, areas[k], counts, drawn) for k, code in enumerate(sample.codes)}}
    )


def confusion(sample: Sample) -> Integers:
    """Return counts (C, C), rows are truths."""
    size = len(sample.codes)
    return np.bincount(sample.truth * size + sample.predicted, minlength=size * size).reshape(size, size)


def headline_values(sample: Sample, counts: Integers) -> dict[str, float]:
    """The point estimates by name; macro values average the classes with at least one true picture."""
    kept, table = sample.supported, counts[None].astype(np.float64)
    return {name: float(compute(table, kept)[0]) for name, compute in catalogue.OF_TABLES.items()} | {
        "balanced_accuracy": float((np.diag(counts)[kept] / counts.sum(1)[kept]).mean()),
        "log_loss": float(losses(sample).mean()),
        "brier": float(briers(sample).mean()),
    }


@dataclass(frozen=True, eq=False)
class Replicates:
    """Statistics of the drawn samples: `values` by name (B,), and F1 and average precision by class (B, C)."""

    values: dict[str, Floats]
    f1: Floats
    average_precision: Floats


def replicate(sample: Sample, replicates: int) -> Replicates:
    """Draw lesions and compute everything that has a percentile interval, as matrix products in chunks."""
    size, lesions = len(sample.codes), sample.lesion_count
    cells = cells_by_lesion(sample.truth * size + sample.predicted, sample.lesions, lesions, size * size)
    sums = summed(np.stack([losses(sample), briers(sample)], 1), sample.lesions, lesions).astype(np.float32)
    precision = [_Ranked(sample, k) for k in range(size)]
    parts: list[dict[str, Floats]] = []
    for weights in draws(lesions, replicates):
        tables = np.asarray((cells.T @ weights.T).T).reshape(-1, size, size)
        totals = tables.sum((1, 2))
        hits, true, predicted = np.einsum("bkk->bk", tables), tables.sum(2), tables.sum(1)
        with np.errstate(invalid="ignore", divide="ignore"):
            f1 = 2 * hits / (true + predicted)
            lost = weights @ sums / totals[:, None]
        parts.append(
            {name: compute(tables, sample.supported) for name, compute in catalogue.OF_TABLES.items()}
            | {
                "log_loss": lost[:, 0],
                "brier": lost[:, 1],
                "f1": np.where(true + predicted > 0, f1, np.nan),
                "average_precision": np.stack([ranked.replicates(weights) for ranked in precision], 1),
            }
        )
    joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return Replicates(joined, joined.pop("f1"), joined.pop("average_precision"))


class _Ranked:
    """One class's pictures, best score first, for average precision as a step sum over distinct scores."""

    def __init__(self, sample: Sample, index: int) -> None:
        scores = sample.probabilities[:, index]
        order = np.argsort(-scores, kind="stable")
        ordered = scores[order]
        last = np.searchsorted(-ordered, -ordered, side="right") - 1
        positive = sample.truth[order] == index
        self.lesions = sample.lesions[order]
        self.positives = np.flatnonzero(positive)
        self.ends = last[self.positives]
        self.own_end = np.searchsorted(self.positives, self.ends, side="right") - 1

    def replicates(self, weights: Weights) -> Floats:
        """Return the average precision of each replicate (b,), NaN without a positive one."""
        if not len(self.positives):
            return np.full(len(weights), np.nan)
        found = np.cumsum(weights[:, self.lesions], axis=1, dtype=np.float32)[:, self.ends]
        own = weights[:, self.lesions[self.positives]]
        true = np.cumsum(own, axis=1)[:, self.own_end]
        with np.errstate(invalid="ignore", divide="ignore"):
            precision = np.where(own > 0, true / found, 0)
            return np.asarray((own * precision).sum(1) / own.sum(1))

    def value(self) -> float:
        return float(self.replicates(np.ones((1, int(self.lesions.max()) + 1)))[0])


def balanced_interval(sample: Sample, replicates: int = REPLICATES) -> tuple[float, float]:
    """Return the smoothed lesion bootstrap interval of the mean sensitivity.

    Each class also owns half a right and half a wrong lesion of one picture, so that a class without errors varies.
    """
    recalls = class_replicates(sample.right, sample.truth, sample.lesions, sample.supported, replicates)
    low, high = np.quantile(recalls.mean(1), (0.025, 0.975))
    value = float(np.mean([sample.right[sample.truth == k].mean() for k in sample.supported]))
    return min(float(low), value), max(float(high), value)


def class_replicates(
    right: Any, truth: Integers, lesions: Integers, classes: Integers, replicates: int, seed: int = 1
) -> Floats:
    """Return smoothed replicates (B, K) of the share of `right` pictures (n,) in each of the K classes."""
    rng = np.random.default_rng(seed)
    columns = []
    for label in classes:
        mine = truth == label
        _, place = np.unique(lesions[mine], return_inverse=True)
        sizes = np.append(np.bincount(place.reshape(-1)), [1, 1]).astype(np.float64)
        hits = np.append(np.bincount(place.reshape(-1), right[mine]), [1, 0])
        drawn = _smoothed_draws(rng, len(sizes) - 2, replicates)
        columns.append(_ratios(drawn, hits, sizes))
    return np.stack(columns, 1)


def _smoothed_draws(rng: np.random.Generator, lesions: int, replicates: int) -> Integers:
    """Return indexes (B, lesions) of drawn lesions; the last two stand for the half lesions.

    One less is drawn than there are (Rao and Wu 1988), so that few lesions do not vary too little.
    """
    drawn = rng.integers(0, 2 * (lesions + 1), (replicates, lesions), dtype=np.int32)
    return np.where(drawn < 2 * lesions, drawn // 2, drawn - lesions)


def _ratios(drawn: Integers, hits: Floats, sizes: Floats) -> Floats:
    return np.concatenate([hits[part].sum(1) / sizes[part].sum(1) for part in np.array_split(drawn, 8)])


DRAWN = ("f1", "average_precision")
"""The numbers of a class whose intervals are drawn, and collapse where few lesions are all right."""


def _of_class(sample: Sample, k: int, area: auc.Area | None, counts: Integers, drawn: Replicates) -> dict[str, Any]:
    truth, said = sample.truth == k, sample.predicted == k
    support = int(truth.sum())
    f1 = between(2 * counts[k, k] / (support + said.sum()), drawn.f1[:, k]) if support else undefined(NO_TRUTH)
    precise = _Ranked(sample, k).value() if support else None
    average = undefined(NO_TRUTH) if precise is None else between(precise, drawn.average_precision[:, k])
    numbers = {
        "sensitivity": rate(said[truth], sample.lesions[truth], NO_TRUTH),
        "specificity": rate(~said[~truth], sample.lesions[~truth], "every image is of this class"),
        "precision": rate(truth[said], sample.lesions[said], NEVER_PREDICTED),
        "f1": f1,
        "auc": auc.number(area),
        "average_precision": average,
    }
    lesions = sample.lesions_of(truth)
    if 0 < lesions < FEW_LESIONS:
        note = f"only {lesions} lesion{'s' if lesions > 1 else ''}: the interval is rough"
        numbers |= {name: replace(numbers[name], note=numbers[name].note or note) for name in DRAWN}
    found: dict[str, Any] = {"support": support, "lesions": lesions}
    return found | {name: number.to_json() for name, number in numbers.items()}


def _few(sample: Sample, number: Number) -> Number:
    if sample.lesion_count >= NOT_ENOUGH_LESIONS:
        return number
    return Number(number.value, number.low, number.high, f"only {sample.lesion_count} lesions: the interval is rough")


def _of_truth(sample: Sample) -> Floats:
    return np.asarray(sample.probabilities[np.arange(sample.images), sample.truth])


def losses(sample: Sample) -> Floats:
    return np.asarray(-np.log(np.clip(_of_truth(sample), CLIP, None)))


def briers(sample: Sample) -> Floats:
    """The sum over classes of squared differences, 0 to 2."""
    return np.asarray(((sample.probabilities - np.eye(len(sample.codes))[sample.truth]) ** 2).sum(1))
