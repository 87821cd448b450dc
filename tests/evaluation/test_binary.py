"""One threshold: counts by brute force, predictive values and net benefit by hand."""

import numpy as np
import pytest

from evaluation.metrics import binary
from evaluation.metrics.binary import Scored
from evaluation.metrics.number import Number


def scored(seed: int = 1, images: int = 200, digits: int = 2) -> Scored:
    rng = np.random.default_rng(seed)
    lesions = np.sort(rng.integers(0, images // 2, images))
    lesions = np.unique(lesions, return_inverse=True)[1]
    positive = (rng.random(images) < 0.3)[lesions]
    scores = np.clip(rng.normal(0.4 + 0.25 * positive, 0.2), 0, 1)
    return Scored(np.round(scores, digits), positive, lesions)


def counts(found: Scored, threshold: float) -> dict[str, int]:
    cells = {"tp": 0, "fp": 0, "fn": 0, "tn": 0}
    for score, positive in zip(found.scores, found.positive, strict=True):
        cells[("tp" if positive else "fp") if score >= threshold else ("fn" if positive else "tn")] += 1
    return cells


@pytest.mark.parametrize("digits", [1, 2, 9])
def test_the_table_counts_what_reaches_each_threshold(digits):
    found = scored(digits=digits)
    rows = binary.table(found)
    thresholds = [row["threshold"] for row in rows]
    assert thresholds == sorted(set(thresholds))
    assert 2 <= len(rows) <= binary.THRESHOLDS
    assert {0.0, 0.5} <= set(thresholds)
    for row in rows:
        expected = counts(found, row["threshold"])
        assert {name: row[name] for name in expected} == expected
        assert row["sensitivity"]["value"] == pytest.approx(expected["tp"] / (expected["tp"] + expected["fn"]))
        assert row["specificity"]["value"] == pytest.approx(expected["tn"] / (expected["tn"] + expected["fp"]))
        for name in ("sensitivity", "specificity"):
            assert row[name]["low"] <= row[name]["value"] <= row[name]["high"]


@pytest.mark.parametrize("positive", [True, False])
def test_one_class_alone_has_no_table(positive):
    alone = Scored(np.array([0.1, 0.9]), np.array([positive] * 2), np.arange(2))
    assert binary.table(alone) == []
    assert binary.decision_curve(alone) is None
    assert binary.area(alone).value is None
    row = binary.point(alone, 0.5)
    assert row["sensitivity" if not positive else "specificity"]["note"]


def test_predictive_values_by_bayes_by_hand():
    """Of 1,000 people 100 are ill: 90 found, 10 missed; of the 900 others 180 are called ill."""
    found = binary.predictive_values(Number(0.9, 0.8, 0.95), Number(0.8, 0.7, 0.9), 0.1)
    assert found["ppv"].value == pytest.approx(90 / 270)
    assert found["npv"].value == pytest.approx(720 / 730)
    assert found["ppv"].low == pytest.approx(80 / (80 + 270))
    assert found["ppv"].high == pytest.approx(95 / (95 + 90))
    assert found["npv"].low == pytest.approx(630 / (630 + 20))
    assert found["npv"].high == pytest.approx(810 / (810 + 5))


def test_predictive_values_at_the_ends():
    perfect = binary.predictive_values(Number(1.0, 0.8, 1.0), Number(1.0, 0.9, 1.0), 0.2)
    assert (perfect["ppv"].value, perfect["npv"].value, perfect["ppv"].high) == (1, 1, 1)
    silent = binary.predictive_values(Number(0.0, 0.0, 0.2), Number(1.0, 0.9, 1.0), 0.2)
    assert (silent["ppv"].value, silent["ppv"].low, silent["ppv"].high) == (None, None, None)
    assert silent["ppv"].note
    assert silent["npv"].value == pytest.approx(0.8)
    assert binary.predictive_values(Number(), Number(0.5, 0.4, 0.6), 0.2)["npv"].note


def test_net_benefit_by_hand():
    """True positives less false ones at the odds of the threshold: 0.09 - 0.18 / 4."""
    assert binary.net_benefit(0.9, 0.8, 0.2, 0.1) == pytest.approx(0.09 - 0.18 * 0.25)
    assert binary.net_benefit(1, 0, 0.5, 0.1) == pytest.approx(0.1 - 0.9)
    assert binary.net_benefit(0, 1, 0.3, 0.1) == 0


def test_the_decision_curve_is_the_net_benefit_of_counts():
    found = scored()
    curve = binary.decision_curve(found)
    n = len(found.scores)
    for threshold, benefit, everybody in zip(*curve.values(), strict=True):
        cells, odds = counts(found, threshold), threshold / (1 - threshold)
        assert benefit == pytest.approx(cells["tp"] / n - cells["fp"] / n * odds)
        prevalence = found.positive.mean()
        assert everybody == pytest.approx(prevalence - (1 - prevalence) * odds)
    assert (curve["threshold"][0], curve["threshold"][-1]) == (0.01, 0.5)


@pytest.mark.parametrize("target", binary.TARGETS)
@pytest.mark.parametrize("digits", [1, 9])
def test_the_exploratory_threshold_is_the_highest_that_reaches_the_target(target, digits):
    found = scored(2, digits=digits)
    row = binary.exploratory(found, target, replicates=200)

    def sensitivity(threshold: float) -> float:
        return float((found.scores[found.positive] >= threshold).mean())

    assert row["threshold"] == max(t for t in set(found.scores) if sensitivity(t) >= target)
    assert row["sensitivity"]["value"] == pytest.approx(sensitivity(row["threshold"]))
    assert row["specificity"]["value"] == pytest.approx((found.scores[~found.positive] < row["threshold"]).mean())
    assert row["specificity"]["low"] <= row["specificity"]["value"] <= row["specificity"]["high"]
    assert (row["target"], row["exploratory"]) == (target, True)


def test_choosing_the_threshold_again_widens_the_interval_of_the_specificity():
    """Few positives move the threshold, many negatives fix the specificity at a given one."""
    rng = np.random.default_rng(3)
    positive = np.arange(1030) < 30
    found = Scored(np.clip(rng.normal(0.4 + 0.2 * positive, 0.15), 0, 1), positive, np.arange(1030))
    row = binary.exploratory(found, 0.9)
    given = binary.point(found, row["threshold"])["specificity"]
    assert row["specificity"]["high"] - row["specificity"]["low"] > 2 * (given["high"] - given["low"])


def test_models_at_one_sensitivity_share_their_draws():
    one = scored()
    other = Scored(np.clip(one.scores + np.random.default_rng(3).normal(0, 0.2, 200), 0, 1), one.positive, one.lesions)
    (first, second, again), pairs = binary.at_sensitivity([one, other, one], 0.9, replicates=300)
    assert first == again == binary.exploratory(one, 0.9, replicates=300)
    assert min(row["sensitivity"]["value"] for row in (first, second)) >= 0.9
    assert list(pairs) == [(0, 1), (0, 2), (1, 2)]
    assert pairs[0, 2] == Number(0.0, 0.0, 0.0)
    assert pairs[0, 1].low < pairs[0, 1].high
