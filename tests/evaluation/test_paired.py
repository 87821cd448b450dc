"""Differences of models against hand tables, enumeration and scipy."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, chi2, norm

from evaluation.documents.comparison_result import Pair
from evaluation.metrics import auc, paired
from evaluation.metrics.paired import Model
from evaluation.metrics.sample import Sample
from tests.factories.samples import again, drawn

FEW = 100


def answered(one: list[int], other: list[int], truth: list[int], lesions: list[int] | None = None, classes: int = 2):
    """Two samples whose models say these classes."""
    codes = [f"c{k}" for k in range(classes)]
    return [Sample.of(codes, np.eye(classes)[said] * 0.6 + 0.4 / classes, truth, lesions) for said in (one, other)]


def right_and_wrong(one: str, other: str, lesions: list[int] | None = None) -> list[Sample]:
    """Two samples of one class out of two; 1 is right."""
    said = [[1 - int(c) for c in text] for text in (one, other)]
    return answered(said[0], said[1], [0] * len(one), lesions)


def rows_of(one: Sample, other: Sample) -> dict[str, dict]:
    rows = paired.pairs([Model("a", one), Model("b", other)], replicates=FEW)
    assert [Pair.model_validate(row).model_dump(exclude_unset=True) for row in rows] == rows, (
        "a key would not be stored"
    )
    return {row["metric"]: row for row in rows}


@pytest.mark.parametrize("lesions", [None, 40], ids=["no repeats", "repeats"])
def test_a_model_does_not_differ_from_itself(lesions):
    sample = drawn(1, lesions=lesions)
    rows = rows_of(sample, sample)
    assert list(rows) == list(paired.METRICS)
    for row in rows.values():
        assert (row["difference"], row["low"], row["high"], row["p"]) == (0, 0, 0, 1)
    assert rows["balanced_accuracy"]["p_holm"] == 1
    assert rows["accuracy"]["also"]["p"] == 1
    assert rows["balanced_accuracy"]["smallest_difference"] == 0


def test_differences_are_those_of_the_sheets_and_turn_with_the_models():
    one = drawn(2)
    other = again(one, 3, skill=0.5)
    rows, turned = rows_of(one, other), rows_of(other, one)
    assert rows["accuracy"]["difference"] == pytest.approx(one.right.mean() - other.right.mean())
    recalls = [np.mean([s.right[s.truth == k].mean() for k in range(4)]) for s in (one, other)]
    assert rows["balanced_accuracy"]["difference"] == pytest.approx(recalls[0] - recalls[1])
    for name, row in rows.items():
        assert row["low"] <= row["difference"] <= row["high"]
        assert 0 < row["p"] <= 1
        assert turned[name]["difference"] == pytest.approx(-row["difference"])
        assert (turned[name]["low"], turned[name]["high"]) == pytest.approx((-row["high"], -row["low"]), abs=1e-6)
        assert turned[name]["p"] == pytest.approx(row["p"], abs=0.02)


def test_only_the_primary_metric_has_an_adjusted_p():
    rows = rows_of(drawn(2), again(drawn(2), 3))
    assert [name for name, row in rows.items() if row["p_holm"] is not None] == ["balanced_accuracy"]


@pytest.mark.parametrize(
    ("sample", "other"),
    [
        (Sample.of("ab", [[0.7, 0.3]], [0]), Sample.of("ab", [[0.3, 0.7]], [0])),
        (Sample.of("a", [[1.0]] * 3, [0] * 3), Sample.of("a", [[1.0]] * 3, [0] * 3)),
        tuple(right_and_wrong("1" * 40, "0" * 40, [0] * 40)),
        (Sample.of("ab", [[0.5, 0.5]] * 4, [0, 1] * 2), Sample.of("ab", [[0.5, 0.5]] * 4, [0, 1] * 2)),
    ],
    ids=["one image", "one class", "one lesion with 40 images", "ties"],
)
def test_edges_of_a_comparison(sample, other):
    for row in rows_of(sample, other).values():
        assert row["p"] is None or 0 < row["p"] <= 1
        assert row["difference"] is None or row["low"] <= row["difference"] <= row["high"]
    assert rows_of(sample, other)["accuracy"]["p"] == 1


EIGHT = {
    "one": [0, 0, 1, 1, 2, 2, 0, 1, 2, 0, 1, 2],
    "other": [0, 1, 1, 0, 0, 2, 1, 0, 1, 0, 2, 2],
    "truth": [0, 0, 1, 1, 2, 2, 0, 1, 2, 0, 1, 2],
    "lesions": [0, 0, 1, 1, 2, 2, 3, 4, 5, 6, 7, 5],
}


def enumerated(one: Sample, other: Sample, statistic) -> float:
    """Return p by exchanging the two models' answers in every subset of the 8 lesions."""
    observed, extreme = abs(statistic(one) - statistic(other)), 0
    for swapped in product((False, True), repeat=8):
        mine = np.array(swapped)[one.lesions][:, None]
        x, y = (
            Sample(one.codes, np.where(mine, q.probabilities, p.probabilities), one.truth, one.lesions)
            for p, q in ((one, other), (other, one))
        )
        extreme += abs(statistic(x) - statistic(y)) >= observed - 1e-12
    return extreme / 2**8


def macro_f1(sample: Sample) -> float:
    found = []
    for k in range(len(sample.codes)):
        true, said = sample.truth == k, sample.predicted == k
        found.append(2 * (true & said).sum() / (true.sum() + said.sum()))
    return float(np.mean(found))


STATISTICS = {
    "accuracy": lambda s: s.right.mean(),
    "balanced_accuracy": lambda s: np.mean([s.right[s.truth == k].mean() for k in range(3)]),
    "log_loss": lambda s: -np.log(s.probabilities[np.arange(s.images), s.truth]).mean(),
    "brier": lambda s: ((s.probabilities - np.eye(3)[s.truth]) ** 2).sum(1).mean(),
    "macro_f1": macro_f1,
}


@pytest.mark.parametrize("metric", STATISTICS)
def test_p_is_that_of_all_exchanges_of_eight_lesions(metric):
    one, other = answered(*EIGHT.values(), classes=3)
    noise = np.random.default_rng(1).uniform(0.8, 1, other.probabilities.shape)
    values = other.probabilities * noise
    other = Sample(other.codes, values / values.sum(1, keepdims=True), other.truth, other.lesions)
    row = rows_of(one, other)[metric]
    assert row["p"] == pytest.approx(enumerated(one, other, STATISTICS[metric]), abs=0.015)


@pytest.mark.parametrize(("one", "other"), [("11110", "00011"), ("1111111", "0000000"), ("110", "110"), ("1", "0")])
def test_exact_mcnemar_is_the_binomial_test_of_discordant_images(one, other):
    only_a = sum(x > y for x, y in zip(one, other, strict=True))
    only_b = sum(x < y for x, y in zip(one, other, strict=True))
    expected = binomtest(only_a, only_a + only_b).pvalue if only_a + only_b else 1
    assert paired.exact_mcnemar(*right_and_wrong(one, other)) == {"test": "exact McNemar", "p": pytest.approx(expected)}


def test_exact_mcnemar_by_hand():
    """Five against none: 2 / 2^5."""
    assert paired.exact_mcnemar(*right_and_wrong("11111", "00000"))["p"] == pytest.approx(0.0625)


def test_durkalski_by_hand():
    """Lesions of 3, 2, 1 and 1 images with mean discordance 2/3, -1/2, 1 and 0: (7/6)² / (61/36) = 49/61."""
    one, other = right_and_wrong("1110011", "1000101", [0, 0, 0, 1, 1, 2, 3])
    assert one.right.sum() == 5
    found = paired.durkalski(one, other)
    assert found["p"] == pytest.approx(chi2.sf(49 / 61, 1))


def test_without_repeats_durkalski_is_mcnemar_without_correction():
    one, other = right_and_wrong("1111110000", "0000001101")
    assert paired.durkalski(one, other)["p"] == pytest.approx(chi2.sf((6 - 3) ** 2 / 9, 1))


def test_the_test_of_the_accuracy_and_of_the_area_follows_from_the_repeats():
    single, repeated = (rows_of(drawn(4, lesions=n), again(drawn(4, lesions=n), 5)) for n in (None, 50))
    assert single["accuracy"]["also"]["test"] == "exact McNemar"
    assert single["macro_auc"]["test"] == "DeLong"
    assert "Durkalski" in repeated["accuracy"]["also"]["test"]
    assert "Obuchowski" in repeated["macro_auc"]["test"]


def test_the_area_of_two_classes_is_tested_as_delong_does():
    one = drawn(6, classes=2, lesions=None)
    other = again(one, 7, skill=0.4)
    areas = [auc.area(s.probabilities[:, 1], s.truth == 1, s.lesions, s.lesion_count) for s in (one, other)]
    variance = areas[0].variance + areas[1].variance - 2 * auc.covariance(*areas)
    z = (areas[0].value - areas[1].value) / variance**0.5
    assert rows_of(one, other)["macro_auc"]["p"] == pytest.approx(2 * norm.sf(abs(z)))


def test_holm_by_hand():
    assert paired.holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert paired.holm([0.5, 0.001, 0.6, 0.02]) == pytest.approx([1, 0.004, 1, 0.06])
    assert paired.holm([0.2]) == [0.2]
    assert paired.holm([]) == []


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(st.floats(1e-4, 1), min_size=1, max_size=8))
def test_holm_keeps_the_order_and_never_lowers_a_p(values):
    adjusted = paired.holm(values)
    assert all(v <= a <= min(1, len(values) * v + 1e-12) for v, a in zip(values, adjusted, strict=True))
    order = np.argsort(values, kind="stable")
    assert (np.diff(np.array(adjusted)[order]) >= 0).all()


def row(a: str, b: str, p: float) -> dict:
    return {"a": a, "b": b, "metric": "balanced_accuracy", "p_holm": p}


def test_groups_may_overlap():
    rows = [row("a", "b", 0.3), row("b", "c", 0.2), row("a", "c", 0.01)]
    assert paired.groups(["a", "b", "c"], rows) == [["a", "b"], ["b", "c"]]


def test_groups_of_models_that_all_differ_and_of_models_that_do_not():
    apart = [row("a", "b", 0.01), row("b", "c", 0.01), row("a", "c", 0.049)]
    assert paired.groups(["a", "b", "c"], apart) == [["a"], ["b"], ["c"]]
    together = [row("a", "b", 0.05), row("b", "c", 1), row("a", "c", 1)]
    assert paired.groups(["a", "b", "c"], together) == [["a", "b", "c"]]


def test_other_metrics_do_not_part_groups():
    assert paired.groups(["a", "b"], [row("a", "b", 0.9), row("a", "b", 0.001) | {"metric": "brier"}]) == [["a", "b"]]


def test_the_smallest_difference_by_hand():
    """2.394 is the normal quantile of 1 - 0.05 / 6, three pairs."""
    assert paired.smallest_difference(0.01, 3) == pytest.approx((2.39398 + 0.84) * 0.01, abs=1e-6)


def test_a_clear_difference_is_found_and_holm_counts_all_pairs():
    best = drawn(8, images=400, lesions=200)
    best = again(best, 1, skill=4)
    models = [Model("best", best), Model("middle", again(best, 2, skill=1)), Model("alike", again(best, 3, skill=1))]
    rows = [r for r in paired.pairs(models, replicates=FEW) if r["metric"] == "balanced_accuracy"]
    assert rows[0]["p"] == pytest.approx(1e-4)
    assert rows[0]["p_holm"] == pytest.approx(3e-4)
    assert sorted(paired.groups([m.key for m in models], rows)) == [["best"], ["middle", "alike"]]


def test_wins_are_counted_by_class():
    one, other = answered([0, 0, 1, 1, 1], [0, 1, 1, 0, 0], [0, 0, 0, 1, 1])
    assert paired.wins(one, other) == {
        "c0": {"only_a": 1, "only_b": 0, "both": 1, "neither": 1},
        "c1": {"only_a": 2, "only_b": 0, "both": 0, "neither": 0},
    }
