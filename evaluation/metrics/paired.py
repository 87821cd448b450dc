"""Differences of models on the same pictures, with one set of draws for all of them.

p-values come from swapping the two models' outputs lesion by lesion; exact McNemar and DeLong are given only where
every lesion has one picture, otherwise Durkalski's (Stat Med 2003) and Obuchowski's clustered forms.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from scipy.stats import binomtest, norm

from evaluation.metrics import auc, catalogue
from evaluation.metrics.rates import per_lesion
from evaluation.metrics.resampling import REPLICATES, SEED, cells_by_lesion, draws, summed
from evaluation.metrics.sample import Floats, Sample
from evaluation.metrics.textbook import briers, class_replicates, losses

PERMUTATIONS = 9999
PRIMARY = "balanced_accuracy"
ALPHA = 0.05
POWER = 0.84
LINEAR = ("balanced_accuracy", "accuracy", "log_loss", "brier")
OF_TABLES = {name: compute for name, compute in catalogue.OF_TABLES.items() if name not in LINEAR}
METRICS = (*LINEAR, *OF_TABLES, "macro_auc")
PERMUTED = "lesion permutation"


@dataclass(frozen=True, eq=False)
class Model:
    """One model's answers in the shared taxonomy."""

    key: str
    sample: Sample


def pairs(models: Sequence[Model], *, replicates: int = REPLICATES) -> list[dict[str, Any]]:
    """Return a row for every pair and metric; only the primary metric carries `p_holm`, the others explore."""
    rows = [row for one, other in combinations(models, 2) for row in _pair(one, other, replicates)]
    primary = [row for row in rows if row["metric"] == PRIMARY]
    for row, adjusted in zip(primary, holm([row["p"] for row in primary]), strict=True):
        row["p_holm"] = adjusted
        row["smallest_difference"] = smallest_difference(row.pop("standard_error"), len(primary))
    return rows


def groups(keys: Sequence[str], rows: Iterable[dict[str, Any]]) -> list[list[str]]:
    """Return all maximal sets without a pair at p_holm < 0.05: not shown to differ. They may overlap."""
    apart = {frozenset((row["a"], row["b"])) for row in rows if row["metric"] == PRIMARY and row["p_holm"] < ALPHA}
    sets = [
        set(some)
        for size in range(len(keys), 0, -1)
        for some in combinations(keys, size)
        if not any(frozenset(pair) in apart for pair in combinations(some, 2))
    ]
    maximal = [some for some in sets if not any(some < other for other in sets)]
    return [[key for key in keys if key in some] for some in maximal]


def holm(values: Sequence[float]) -> list[float]:
    """Return Holm's adjusted p-values in the given order."""
    order = np.argsort(values, kind="stable")
    adjusted = np.empty(len(values))
    highest = 0.0
    for place, index in enumerate(order):
        highest = max(highest, min(1.0, (len(values) - place) * values[index]))
        adjusted[index] = highest
    return [float(value) for value in adjusted]


def smallest_difference(standard_error: float, number_of_pairs: int) -> float:
    """Return the difference that this set would show with 80 % power at 5 %, Bonferroni over the pairs."""
    return float((norm.ppf(1 - ALPHA / 2 / number_of_pairs) + POWER) * standard_error)


def _pair(one: Model, other: Model, replicates: int) -> list[dict[str, Any]]:
    a, b = one.sample, other.sample
    clustered = a.lesion_count < a.images
    linear = _contributions(a, b)
    observed = linear.sum(0)
    permuted = _permuted(linear)
    drawn = _drawn_differences(a, b, replicates)
    rows = []
    for place, metric in enumerate(LINEAR):
        row: dict[str, Any] = {"a": one.key, "b": other.key, "metric": metric, "difference": float(observed[place])}
        row |= _interval(drawn[metric], float(observed[place])) | {
            "p": permuted[place],
            "p_holm": None,
            "test": PERMUTED,
        }
        if metric == PRIMARY:
            row["standard_error"] = _standard_error(linear[:, place], a)
        if metric == "accuracy":
            row["also"] = durkalski(a, b) if clustered else exact_mcnemar(a, b)
        rows.append(row)
    for metric, compute in OF_TABLES.items():
        difference, p = _of_tables(a, b, compute)
        row = {"a": one.key, "b": other.key, "metric": metric, "difference": difference}
        rows.append(row | _interval(drawn[metric], difference) | {"p": p, "p_holm": None, "test": PERMUTED})
    rows.append({"a": one.key, "b": other.key, "metric": "macro_auc", "p_holm": None} | _auc(a, b, clustered))
    return rows


def _contributions(a: Sample, b: Sample) -> Floats:
    """Return what each lesion adds to each linear difference: (L, 4); swapping a lesion's outputs flips its signs."""
    gained = a.right.astype(np.float64) - b.right
    support = np.bincount(a.truth, minlength=len(a.codes))
    columns = np.stack(
        [
            gained / support[a.truth] / len(a.supported),
            gained / a.images,
            (losses(a) - losses(b)) / a.images,
            (briers(a) - briers(b)) / a.images,
        ],
        axis=1,
    )
    return summed(columns, a.lesions, a.lesion_count)


def _permuted(contributions: Floats, permutations: int = PERMUTATIONS) -> list[float]:
    """Return p = (b + 1) / (B + 1) of each column's |sum| under random signs of the lesions."""
    moving = contributions[np.abs(contributions).max(1) > 0]
    observed = np.abs(contributions.sum(0)) * (1 - 1e-9) - 1e-15
    rng, extreme = np.random.default_rng(SEED), np.zeros(contributions.shape[1])
    for signs in _signs(rng, len(moving), permutations):
        extreme += (np.abs(signs @ moving) >= observed).sum(0)
    return [float((count + 1) / (permutations + 1)) for count in extreme]


def _signs(rng: np.random.Generator, lesions: int, permutations: int = PERMUTATIONS) -> Iterable[Floats]:
    left, most = permutations, max(1, 20_000_000 // max(1, lesions))
    while left:
        size = min(left, most)
        yield (rng.integers(0, 2, (size, lesions), dtype=np.int8) * 2 - 1).astype(np.float64)
        left -= size


def _drawn_differences(a: Sample, b: Sample, replicates: int) -> dict[str, Floats]:
    """Return replicates (B,) of the differences; the draws depend on lesions and truths alone."""
    size, lesions = len(a.codes), a.lesion_count
    tables = [cells_by_lesion(s.truth * size + s.predicted, s.lesions, lesions, size * size) for s in (a, b)]
    lost = summed(np.stack([losses(a) - losses(b), briers(a) - briers(b)], 1), a.lesions, lesions)
    images = np.bincount(a.lesions, minlength=lesions)
    parts = []
    for weights in draws(lesions, replicates):
        total = weights @ images
        counted = [np.asarray((table.T @ weights.T).T).reshape(-1, size, size) for table in tables]
        lost_drawn = weights @ lost / total[:, None]
        one, other = counted
        gained = [compute(one, a.supported) - compute(other, a.supported) for compute in catalogue.OF_TABLES.values()]
        parts.append(np.stack([*lost_drawn.T, *gained], 1))
    joined = np.concatenate(parts)
    recalls = [class_replicates(s.right, s.truth, s.lesions, s.supported, replicates).mean(1) for s in (a, b)]
    found = dict(zip(("log_loss", "brier", *catalogue.OF_TABLES), joined.T, strict=True))
    return found | {PRIMARY: recalls[0] - recalls[1]}


def _of_tables(a: Sample, b: Sample, compute: catalogue.OfTables) -> tuple[float, float]:
    """Return the difference of a metric and its p: swapping a lesion moves its counts between the two tables."""
    size, lesions = len(a.codes), a.lesion_count
    one, other = (
        cells_by_lesion(s.truth * size + s.predicted, s.lesions, lesions, size * size).astype(np.float64)
        for s in (a, b)
    )
    moves = (other - one).tocsr()
    moving = np.flatnonzero(np.abs(moves).sum(1))
    moves, tables = moves[moving].toarray(), [np.asarray(table.sum(0)).ravel() for table in (one, other)]

    def difference(shift: Floats) -> Floats:
        first, second = (
            (table + sign * shift).reshape(-1, size, size) for table, sign in zip(tables, (1, -1), strict=True)
        )
        return compute(first, a.supported) - compute(second, a.supported)

    observed = float(difference(np.zeros((1, size * size)))[0])
    rng, extreme = np.random.default_rng(SEED), 0
    for signs in _signs(rng, len(moving)):
        extreme += int((np.abs(difference((signs > 0) @ moves)) >= abs(observed) - 1e-12).sum())
    return observed, (extreme + 1) / (PERMUTATIONS + 1)


def _auc(a: Sample, b: Sample, clustered: bool) -> dict[str, Any]:
    """Return the difference of macro AUC, normal interval and p from the lesions' joint placements."""
    test = "Obuchowski, clustered" if clustered else "DeLong"
    found = []
    for k in a.supported:
        areas = [auc.area(s.probabilities[:, k], s.truth == k, s.lesions, s.lesion_count) for s in (a, b)]
        if areas[0] is not None and areas[1] is not None:
            found.append((areas[0], areas[1]))
    if not found:
        return {"difference": None, "low": None, "high": None, "p": None, "test": test}
    difference = float(np.mean([one.value - other.value for one, other in found]))
    parts = [
        auc.Area(0.0, one.positive - other.positive, one.negative - other.negative, one.positives, one.negatives)
        for one, other in found
    ]
    own = sum(part.variance for part in parts)
    shared = sum(auc.covariance_of_classes(x, y) for x, y in combinations(parts, 2))
    error = max(own + 2 * shared, 0) ** 0.5 / len(found)
    if error < 1e-12:
        return {"difference": difference, "low": difference, "high": difference, "p": 1.0, "test": test}
    p = float(2 * norm.sf(abs(difference) / error))
    return {"difference": difference, "low": difference - 1.96 * error, "high": difference + 1.96 * error} | {
        "p": p,
        "test": test,
    }


def exact_mcnemar(a: Sample, b: Sample) -> dict[str, Any]:
    """The exact two-sided test of discordant pictures; right where every lesion has one picture."""
    only_a, only_b = int((a.right & ~b.right).sum()), int((b.right & ~a.right).sum())
    p = 1.0 if only_a + only_b == 0 else float(binomtest(only_a, only_a + only_b).pvalue)
    return {"test": "exact McNemar", "p": p}


def durkalski(a: Sample, b: Sample) -> dict[str, Any]:
    """McNemar's test for clusters (Durkalski et al., Stat Med 2003): mean discordance of each lesion."""
    gained = (a.right & ~b.right).astype(np.float64) - (b.right & ~a.right)
    sums = np.bincount(a.lesions, gained, a.lesion_count)
    means = sums / per_lesion(a.right, a.lesions)[1]
    spread = float((means**2).sum())
    p = 1.0 if not spread else float(2 * norm.sf(abs(means.sum()) / spread**0.5))
    return {"test": "McNemar, clustered (Durkalski)", "p": p}


def _standard_error(contributions: Floats, sample: Sample) -> float:
    """Return the paired lesion standard error of the primary difference, class by class."""
    first = np.zeros(sample.lesion_count, np.int64)
    first[sample.lesions] = sample.truth
    variance = 0.0
    for k in sample.supported:
        mine = contributions[first == k]
        if len(mine) > 1:
            variance += len(mine) * float(mine.var(ddof=1))
        elif len(mine):
            variance += float(mine[0] ** 2)
    return float(variance**0.5)


def _interval(drawn: Floats, difference: float) -> dict[str, float]:
    low, high = np.quantile(drawn, (0.025, 0.975))
    return {"low": min(float(low), difference), "high": max(float(high), difference)}


def wins(a: Sample, b: Sample) -> dict[str, dict[str, int]]:
    """Return by class how many pictures only the first, only the second, both and neither got right."""
    found = {}
    for k in a.supported:
        mine = a.truth == k
        x, y = a.right[mine], b.right[mine]
        found[a.codes[k]] = {
            "only_a": int((x & ~y).sum()),
            "only_b": int((y & ~x).sum()),
            "both": int((x & y).sum()),
            "neither": int((~x & ~y).sum()),
        }
    return found
