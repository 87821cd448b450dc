"""Area under the ROC curve with variances for pictures that cluster in lesions.

Obuchowski (Biometrics 1997) sums the placements of DeLong (Biometrics 1988) by lesion; where every lesion has one
picture the two are equal. Intervals take the same sums, each lesion's as if its own pictures were not in the mean
(jackknife), and t with the degrees of freedom that lesions of unequal size are worth (Kish). Below 20 lesions on either
side or at an area of 1 the score interval of Newcombe (Stat Med 2006, method 5) is used, with sample sizes divided by a
design effect that is shrunk towards full correlation.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, logit
from scipy.stats import norm, rankdata, t

from evaluation.metrics.number import FEW_LESIONS, Number, undefined
from evaluation.metrics.sample import Booleans, Floats, Integers

TOO_FEW_LESIONS = 20
PRIOR_LESIONS = 10.0
Z = float(norm.ppf(0.975))


@dataclass(frozen=True, eq=False)
class Area:
    """An AUC with what each of L lesions contributes: positive and negative parts (L,), each summing to 0."""

    value: float
    positive: Floats
    negative: Floats
    positives: Integers
    negatives: Integers

    @property
    def positive_lesions(self) -> int:
        return int((self.positives > 0).sum())

    @property
    def fewer_lesions(self) -> int:
        """The number of lesions on the side that has fewer."""
        return min(self.positive_lesions, int((self.negatives > 0).sum()))

    @property
    def freedom(self) -> float:
        """The lesions of equal size that the smaller side is worth (Kish), less one; at least 1."""
        worth = min(float(sizes.sum() ** 2 / (sizes**2).sum()) for sizes in (self.positives, self.negatives))
        return max(1.0, worth - 1)

    @property
    def regular(self) -> bool:
        """Whether the normal approximation on the logit scale holds."""
        return self.fewer_lesions >= TOO_FEW_LESIONS and 0 < self.value < 1 and self.variance > 0

    @property
    def variance(self) -> float:
        return covariance(self, self)

    @property
    def jackknifed(self) -> float:
        """The variance with each lesion's part enlarged as if its own pictures were not in the mean."""
        parts = [
            part / np.maximum(1 - sizes / sizes.sum(), 1e-9)
            for part, sizes in ((self.positive, self.positives), (self.negative, self.negatives))
        ]
        return float(((parts[0] + parts[1]) ** 2).sum())


def area(scores: Floats, positive: Booleans, lesions: Integers, count: int) -> Area | None:
    """Return the AUC of scores (n,) for `positive` (n,) with lesions (n,) in 0…count-1; None if one class is empty."""
    m, n = int(positive.sum()), int((~positive).sum())
    if not m or not n:
        return None
    ranks = rankdata(scores)
    placed = np.empty(len(scores))
    placed[positive] = (ranks[positive] - rankdata(scores[positive])) / n
    placed[~positive] = 1 - (ranks[~positive] - rankdata(scores[~positive])) / m
    value = float(placed[positive].mean())
    return Area(
        value=value,
        positive=np.bincount(lesions[positive], placed[positive] - value, count) / m,
        negative=np.bincount(lesions[~positive], placed[~positive] - value, count) / n,
        positives=np.bincount(lesions[positive], minlength=count),
        negatives=np.bincount(lesions[~positive], minlength=count),
    )


def covariance(one: Area, other: Area) -> float:
    """Return the covariance of two areas on the same pictures with the same positives (Obuchowski 1997)."""
    clusters = int(((one.positives + one.negatives) > 0).sum())
    return float(
        _unbiased(one.positive_lesions) * (one.positive @ other.positive)
        + _unbiased(int((one.negatives > 0).sum())) * (one.negative @ other.negative)
        + _unbiased(clusters) * (one.positive @ other.negative + one.negative @ other.positive)
    )


def number(found: Area | None) -> Number:
    """Return the area with its 95 % interval: clustered on the logit scale with t, or Newcombe where that fails."""
    if found is None:
        return undefined("needs pictures of this class and of another one")
    few = found.fewer_lesions
    note = f"only {few} lesion{'s' if few > 1 else ''}" if few < FEW_LESIONS else ""
    if not found.regular:
        low, high = newcombe(found)
        return Number(found.value, low, high, note)
    spread = float(t.ppf(0.975, found.freedom)) * found.jackknifed**0.5 / (found.value * (1 - found.value))
    centre = logit(found.value)
    return Number(found.value, float(expit(centre - spread)), float(expit(centre + spread)), note)


def macro(found: list[Area]) -> Number:
    """Return the mean of the classes' areas; its interval is put together from theirs (MOVER; Zou, Stat Med 2008).

    Each side's distances from the classes' areas are added as their correlations say, where these are positive, so
    that the interval of the mean never leaves what the classes' own intervals allow.
    """
    if not found:
        return undefined("no class has pictures of its own and of another one")
    each = [number(area) for area in found]
    value = float(np.mean([area.value for area in found]))
    likeness = np.array([[1.0 if a is b else max(correlation_of_classes(a, b), 0) for b in found] for a in found])
    below, above = (
        np.array([abs(area.value - end) for area, end in zip(found, ends, strict=True)])
        for ends in ([one.low or 0.0 for one in each], [one.high or 0.0 for one in each])
    )
    reach = [float(np.sqrt(max(side @ likeness @ side, 0)) / len(found)) for side in (below, above)]
    return Number(value, max(value - reach[0], 0.0), min(value + reach[1], 1.0))


def covariance_of_classes(one: Area, other: Area) -> float:
    """Return the covariance of two areas with different positives."""
    return float(correlation_of_classes(one, other) * (one.variance * other.variance) ** 0.5)


def correlation_of_classes(one: Area, other: Area) -> float:
    """Return the correlation of two areas with different positives: a lesion's parts are summed first."""
    x, y = one.positive + one.negative, other.positive + other.negative
    size = float((x @ x) * (y @ y)) ** 0.5
    return float(x @ y) / size if size else 0.0


def newcombe(found: Area) -> tuple[float, float]:
    """Return the score interval of Newcombe's method 5, with effective numbers of pictures."""
    m = _effective(found.positives, found.positive, found.value)
    n = _effective(found.negatives, found.negative, found.value)
    half = (m + n) / 2 - 1

    def excess(theta: float) -> float:
        q = half * ((1 - theta) / (2 - theta) + theta / (1 + theta))
        return (found.value - theta) ** 2 - Z**2 * theta * (1 - theta) * (1 + q) / (m * n)

    tiny = 1e-9
    below, above = min(found.value, 1 - tiny), max(found.value, tiny)
    low = float(brentq(excess, tiny, below)) if excess(tiny) > 0 > excess(below) else 0.0
    high = float(brentq(excess, above, 1 - tiny)) if excess(above) < 0 < excess(1 - tiny) else 1.0
    return (min(low, found.value), max(high, found.value))


def _effective(sizes: Integers, sums: Floats, value: float) -> float:
    """Return the number of independent pictures that (L,) clusters are worth; at least 1."""
    sizes, sums = sizes[sizes > 0], sums[sizes > 0]
    clusters, total = len(sizes), int(sizes.sum())
    if clusters == total:
        return float(total)
    mean_size = float((sizes**2).sum() / total)
    independent = value * (1 - value) / 2 / total
    inflated = float(sums @ sums) / independent if independent > 0 else mean_size
    correlation = np.clip((inflated - 1) / max(mean_size - 1, 1e-9), 0, 1)
    shrunk = (clusters * correlation + PRIOR_LESIONS) / (clusters + PRIOR_LESIONS)
    return max(1.0, float(total / (1 + (mean_size - 1) * shrunk)))


def _unbiased(clusters: int) -> float:
    return clusters / (clusters - 1) if clusters > 1 else 1.0
