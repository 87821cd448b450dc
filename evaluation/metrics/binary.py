"""One threshold for one score: what it finds, what it costs, and how sure that is."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from evaluation.documents.shapes import DecisionCurve, Point, Reached
from evaluation.metrics import auc, rates
from evaluation.metrics.number import Number, between, undefined
from evaluation.metrics.resampling import Weights, draws
from evaluation.metrics.sample import Booleans, Floats, Integers

THRESHOLDS = 96
"""Rows of the table behind the slider; the contract allows 512."""
TARGETS = (0.8, 0.9, 0.95)


@dataclass(frozen=True, eq=False)
class Scored:
    """Scores (n,) in [0, 1], who is positive (n,), and lesions (n,) in 0…count-1."""

    scores: Floats
    positive: Booleans
    lesions: Integers

    @property
    def count(self) -> int:
        return int(self.lesions.max()) + 1 if len(self.lesions) else 0


def table(scored: Scored) -> list[Point]:
    """Return counts, sensitivity and specificity with intervals at up to 96 thresholds, ascending.

    A picture is called positive where its score is at least the threshold.
    """
    if not scored.positive.any() or scored.positive.all():
        return []
    return [point(scored, threshold) for threshold in _thresholds(scored)]


def point(scored: Scored, threshold: float) -> Point:
    said, truth = scored.scores >= threshold, scored.positive
    sensitivity = rates.rate(said[truth], scored.lesions[truth], "no positive image")
    specificity = rates.rate(~said[~truth], scored.lesions[~truth], "no negative image")
    return {
        "threshold": float(threshold),
        "tp": int((said & truth).sum()),
        "fp": int((said & ~truth).sum()),
        "fn": int((~said & truth).sum()),
        "tn": int((~said & ~truth).sum()),
        "sensitivity": sensitivity.to_json(),
        "specificity": specificity.to_json(),
    }


def exploratory(scored: Scored, target: float, *, replicates: int = 1000) -> Reached:
    """Return the threshold that reaches a sensitivity on this data; its intervals choose it again in each replicate."""
    return at_sensitivity([scored], target, replicates=replicates)[0][0]


def at_sensitivity(
    models: Sequence[Scored], target: float, *, replicates: int = 1000
) -> tuple[list[Reached], dict[tuple[int, int], Number]]:
    """Bring models with the same truths and lesions to one sensitivity; return a row of each.

    Beside it stand the differences of specificities, by the places of a pair. Each replicate draws the same lesions for
    all models and chooses each threshold again.
    """
    ordered = [_Ordered(scored) for scored in models]
    found = [one.chosen(np.ones((1, one.scored.count)), target) for one in ordered]
    drawn = np.concatenate(
        [
            np.stack([one.chosen(weights, target)[1] for one in ordered], 1)
            for weights in draws(models[0].count, replicates)
        ]
    )
    values = [float(specificities[0]) for _, specificities in found]
    rows: list[Reached] = []
    for place, (one, (first, _)) in enumerate(zip(ordered, found, strict=True)):
        row = point(one.scored, one.threshold(int(first[0])))
        row["specificity"] = between(values[place], drawn[:, place]).to_json()
        rows.append({**row, "target": target, "exploratory": True})
    return rows, {
        (i, j): between(values[i] - values[j], drawn[:, i] - drawn[:, j])
        for i, j in combinations(range(len(models)), 2)
    }


def predictive_values(sensitivity: Number, specificity: Number, prevalence: float) -> dict[str, Number]:
    """Return both predictive values at a prevalence in (0, 1), by the likelihood ratios, assuming the same case mix.

    Their intervals join the ends of the class intervals.
    """

    def positive(sens: float, spec: float) -> float | None:
        whole = sens * prevalence + (1 - spec) * (1 - prevalence)
        return sens * prevalence / whole if whole else None

    def negative(sens: float, spec: float) -> float | None:
        whole = spec * (1 - prevalence) + (1 - sens) * prevalence
        return spec * (1 - prevalence) / whole if whole else None

    if sensitivity.value is None or specificity.value is None:
        return dict.fromkeys(("ppv", "npv"), undefined("needs both classes"))
    low = (sensitivity.low or 0.0, specificity.low or 0.0)
    high = (sensitivity.high or 1.0, specificity.high or 1.0)
    values = (sensitivity.value, specificity.value)
    ppv, npv = positive(*values), negative(*values)
    return {
        "ppv": undefined("nothing is called positive") if ppv is None else Number(ppv, positive(*low), positive(*high)),
        "npv": undefined("nothing is called negative") if npv is None else Number(npv, negative(*low), negative(*high)),
    }


def net_benefit(sensitivity: float, specificity: float, threshold: float, prevalence: float) -> float:
    """Return the net benefit (Vickers 2006) at a threshold probability below 1, re-weighted to a prevalence."""
    odds = threshold / (1 - threshold)
    return sensitivity * prevalence - (1 - specificity) * (1 - prevalence) * odds


def decision_curve(scored: Scored, *, points: int = 50) -> DecisionCurve | None:
    """Return net benefit of the score and of treating all at threshold probabilities of 1 to 50 %."""
    if not scored.positive.any() or scored.positive.all():
        return None
    prevalence = float(scored.positive.mean())
    thresholds = np.linspace(0.01, 0.5, points)
    model = []
    for threshold in thresholds:
        said = scored.scores >= threshold
        sensitivity, specificity = said[scored.positive].mean(), (~said[~scored.positive]).mean()
        model.append(net_benefit(float(sensitivity), float(specificity), float(threshold), prevalence))
    everybody = [net_benefit(1, 0, float(threshold), prevalence) for threshold in thresholds]
    return {"threshold": thresholds.tolist(), "net_benefit": model, "all": everybody}


def area(scored: Scored) -> Number:
    return auc.number(auc.area(scored.scores, scored.positive, scored.lesions, scored.count))


def _thresholds(scored: Scored) -> Floats:
    """Half of the thresholds at the positives' scores, half at the negatives', and both ends."""
    share = np.linspace(0, 1, THRESHOLDS // 2 - 1)
    chosen = [np.quantile(scored.scores[mask], share, method="nearest") for mask in (scored.positive, ~scored.positive)]
    return np.unique(np.concatenate([*chosen, [0.0, 0.5]]))


class _Ordered:
    """One model's images, highest score first."""

    def __init__(self, scored: Scored) -> None:
        order = np.argsort(-scored.scores, kind="stable")
        self.scored, self._scores = scored, scored.scores[order]
        self._truth, self._lesions = scored.positive[order], scored.lesions[order]
        self._ends = np.append(np.flatnonzero(np.diff(self._scores)), len(order) - 1)

    def threshold(self, place: int) -> float:
        return float(self._scores[self._ends[place]])

    def chosen(self, weights: Weights, target: float) -> tuple[Integers, Floats]:
        """Return for weights of lesions (b, L) the first place that reaches the target, and its specificity."""
        mine = weights[:, self._lesions]
        true = np.cumsum(mine * self._truth, axis=1)[:, self._ends]
        false = np.cumsum(mine * ~self._truth, axis=1)[:, self._ends]
        with np.errstate(invalid="ignore", divide="ignore"):
            sensitivity, specificity = true / true[:, -1:], 1 - false / false[:, -1:]
        first = (sensitivity >= target - 1e-12).argmax(1)
        return first, specificity[np.arange(len(weights)), first]
