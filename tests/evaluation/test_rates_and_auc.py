"""Intervals of rates and areas against slow independent implementations of the published formulas."""

import numpy as np
import pytest
from scipy.integrate import dblquad
from scipy.special import beta as beta_function
from scipy.stats import beta

from evaluation.metrics import auc, rates
from evaluation.metrics.sample import Sample
from tests.factories.samples import again, drawn


def rate_of(hits: list[int], sizes: list[int]) -> tuple[float, float]:
    return rates.interval(np.array(hits), np.array(sizes))


@pytest.mark.parametrize(("hits", "images"), [(3, 10), (14, 15), (50, 200), (9_300, 10_000)])
def test_without_repeats_the_interval_is_that_of_a_uniform_prior(hits, images):
    found = rate_of([1] * hits + [0] * (images - hits), [1] * images)
    expected = beta.ppf((0.025, 0.975), hits + 1, images - hits + 1)
    assert found == pytest.approx(expected, abs=0.002)


def test_the_interval_is_that_of_the_posterior_by_quadrature():
    hits, sizes = [4, 0, 3, 2, 1], [4, 2, 3, 5, 1]

    def density(correlation: float, rate: float) -> float:
        strength = (1 - correlation) / correlation
        a, b = rate * strength, (1 - rate) * strength
        parts = [beta_function(a + h, b + n - h) / beta_function(a, b) for h, n in zip(hits, sizes, strict=True)]
        return float(np.prod(parts))

    def mass(low: float, high: float) -> float:
        return dblquad(density, low, high, 0.001, 0.999, epsabs=1e-10, epsrel=1e-5)[0]

    low, high = rate_of(hits, sizes)
    assert mass(1e-4, low) / mass(1e-4, 1 - 1e-4) == pytest.approx(0.025, abs=0.002)
    assert mass(high, 1 - 1e-4) / mass(1e-4, 1 - 1e-4) == pytest.approx(0.025, abs=0.002)


def test_repeats_widen_the_interval_when_lesions_are_answered_as_one():
    together, apart = rate_of([4] * 8 + [0] * 2, [4] * 10), rate_of([1] * 32 + [0] * 8, [1] * 40)
    assert together[1] - together[0] > 1.4 * (apart[1] - apart[0])


@pytest.mark.parametrize("sizes", [[1], [40], [1] * 15, [3, 1, 6], [1] * 10_000])
def test_the_end_is_1_if_all_are_right_and_0_if_none_is(sizes):
    low, high = rate_of(sizes, sizes)
    assert 0 < low < high == 1
    low, high = rate_of([0] * len(sizes), sizes)
    assert 0 == low < high < 1


def test_right_and_wrong_are_mirror_images():
    low, high = rate_of([3, 0, 2], [4, 2, 2])
    assert rate_of([1, 2, 0], [4, 2, 2]) == pytest.approx((1 - high, 1 - low), abs=1e-6)


def test_a_rate_of_few_lesions_says_so_and_one_of_nothing_says_why():
    right = np.array([True, False, True])
    assert rates.rate(right, np.array([0, 0, 7]), "").note == "only 2 lesions"
    assert rates.rate(right, np.array([3, 3, 3]), "").note == "only 1 lesion"
    nothing = rates.rate(right[:0], np.zeros(0, int), "no image")
    assert (nothing.value, nothing.low, nothing.high, nothing.note) == (None, None, None, "no image")


def area_of(sample: Sample, k: int = 0) -> auc.Area:
    found = auc.area(sample.probabilities[:, k], sample.truth == k, sample.lesions, sample.lesion_count)
    assert found is not None
    return found


def placements(sample: Sample, k: int) -> tuple[dict[int, float], dict[int, float], float]:
    """Return the structural components of positives and negatives by image, O(m n), and the area."""
    scores, truth = sample.probabilities[:, k], sample.truth == k
    positives, negatives = np.flatnonzero(truth), np.flatnonzero(~truth)
    wins = {
        (i, j): 1.0 if scores[i] > scores[j] else 0.5 if scores[i] == scores[j] else 0.0
        for i in positives
        for j in negatives
    }
    of_positives = {i: sum(wins[i, j] for j in negatives) / len(negatives) for i in positives}
    of_negatives = {j: sum(wins[i, j] for i in positives) / len(positives) for j in negatives}
    return of_positives, of_negatives, sum(of_positives.values()) / len(positives)


def delong(one: Sample, other: Sample, k: int) -> float:
    """The covariance of DeLong 1988, equation by equation."""
    (x1, y1, area1), (x2, y2, area2) = placements(one, k), placements(other, k)
    s10 = sum((x1[i] - area1) * (x2[i] - area2) for i in x1) / (len(x1) - 1)
    s01 = sum((y1[j] - area1) * (y2[j] - area2) for j in y1) / (len(y1) - 1)
    return s10 / len(x1) + s01 / len(y1)


def obuchowski(one: Sample, other: Sample, k: int) -> float:
    """The covariance of Obuchowski 1997, with sums of the components by cluster."""
    (x1, y1, area1), (x2, y2, area2) = placements(one, k), placements(other, k)
    clusters = sorted(set(one.lesions.tolist()))
    m, n = len(x1), len(y1)

    def sums(parts: dict[int, float], area: float) -> dict[int, float]:
        return {c: sum(value - area for image, value in parts.items() if one.lesions[image] == c) for c in clusters}

    with_x = len({one.lesions[i] for i in x1})
    with_y = len({one.lesions[j] for j in y1})
    u1, u2, v1, v2 = sums(x1, area1), sums(x2, area2), sums(y1, area1), sums(y2, area2)
    s10 = with_x / ((with_x - 1) * m) * sum(u1[c] * u2[c] for c in clusters)
    s01 = with_y / ((with_y - 1) * n) * sum(v1[c] * v2[c] for c in clusters)
    factor = len(clusters) / (len(clusters) - 1)
    s11 = factor * sum(u1[c] * v2[c] for c in clusters)
    s11_turned = factor * sum(u2[c] * v1[c] for c in clusters)
    return s10 / m + s01 / n + (s11 + s11_turned) / (m * n)


def test_the_variance_of_a_small_table_by_hand():
    """Positives 0.8, 0.6, 0.4 and negatives 0.5, 0.3: components 1, 1, 1/2 and 2/3, 1; area 5/6; 1/36 + 1/36."""
    truth = np.array([True, True, True, False, False])
    found = auc.area(np.array([0.8, 0.6, 0.4, 0.5, 0.3]), truth, np.arange(5), 5)
    assert found.value == pytest.approx(5 / 6)
    assert found.variance == pytest.approx(1 / 18)


@pytest.mark.parametrize("coarse", [False, True], ids=["smooth", "ties"])
def test_without_repeats_variance_and_covariance_are_delong_s(coarse):
    one = drawn(1, images=60, lesions=None, coarse=coarse)
    other = again(one, 2)
    for k in range(4):
        assert area_of(one, k).value == pytest.approx(placements(one, k)[2])
        assert area_of(one, k).variance == pytest.approx(delong(one, one, k))
        assert auc.covariance(area_of(one, k), area_of(other, k)) == pytest.approx(delong(one, other, k))


@pytest.mark.parametrize("coarse", [False, True], ids=["smooth", "ties"])
def test_with_repeats_variance_and_covariance_are_obuchowski_s(coarse):
    one = drawn(3, images=80, lesions=30, coarse=coarse)
    mixed = Sample.of(one.codes, one.probabilities, np.random.default_rng(1).permutation(one.truth), one.lesions)
    for sample in (one, mixed):
        other = again(sample, 4)
        for k in range(4):
            assert area_of(sample, k).variance == pytest.approx(obuchowski(sample, sample, k))
            assert auc.covariance(area_of(sample, k), area_of(other, k)) == pytest.approx(obuchowski(sample, other, k))


def binary_area(positives: list[float], negatives: list[float]) -> auc.Area:
    scores = np.array(positives + negatives)
    found = auc.area(scores, np.arange(len(scores)) < len(positives), np.arange(len(scores)), len(scores))
    assert found is not None
    return found


@pytest.mark.parametrize("value", [0.6, 0.8, 0.95])
def test_newcombe_s_limits_solve_his_equation(value):
    m, n = 10, 20
    found = binary_area([0.5] * m, [0.1] * round(n * value) + [0.9] * (n - round(n * value)))
    for limit in auc.newcombe(found):
        half = (m + n) / 2 - 1
        inner = 1 + half * (1 - limit) / (2 - limit) + half * limit / (1 + limit)
        variance = limit * (1 - limit) * inner / (m * n)
        assert (found.value - limit) ** 2 == pytest.approx(1.959964**2 * variance, rel=1e-4)


@pytest.mark.parametrize(("m", "n"), [(1, 1), (3, 4), (15, 200), (1000, 1000)])
def test_newcombe_s_interval_of_a_perfect_and_of_a_useless_score_has_width(m, n):
    """At 1 the equation is 1 - x = z² x (1 + q(x)) / (m n), besides the solution 1."""
    low, high = auc.newcombe(binary_area([0.9] * m, [0.1] * n))
    half = (m + n) / 2 - 1
    q = half * ((1 - low) / (2 - low) + low / (1 + low))
    assert high == 1
    assert 1 - low == pytest.approx(1.959964**2 * low * (1 + q) / (m * n), rel=1e-3)
    assert auc.newcombe(binary_area([0.1] * m, [0.9] * n)) == pytest.approx((0, 1 - low), abs=1e-6)


def test_more_lesions_give_narrower_intervals_and_repeats_wider_ones():
    widths = []
    for m in (3, 10, 19):
        low, high = auc.newcombe(binary_area([0.9] * m, [0.1] * m))
        widths.append(high - low)
    assert widths == sorted(widths, reverse=True)
    scores, truth = np.array([0.9] * 6 + [0.1] * 6), np.array([True] * 6 + [False] * 6)
    repeated = auc.area(scores, truth, np.arange(12) // 3, 4)
    alone = auc.area(scores, truth, np.arange(12), 12)
    assert auc.newcombe(repeated)[0] < auc.newcombe(alone)[0]


def test_an_area_needs_both_classes():
    assert auc.area(np.ones(3), np.ones(3, bool), np.arange(3), 3) is None
    assert auc.number(None).value is None
    assert auc.number(None).note
    assert auc.macro([]).note


@pytest.mark.parametrize("positives", [[0.5] * 30, [0.9] * 30, [0.1] * 30], ids=["constant", "perfect", "reversed"])
def test_degenerate_scores_keep_an_interval(positives):
    found = binary_area(positives, [0.5] * 60)
    for number in (auc.number(found), auc.macro([found, found])):
        assert number.low <= number.value <= number.high
        assert 0.01 < number.high - number.low < 0.5


def test_many_positive_lesions_have_the_logit_interval():
    sample = drawn(5, images=400, lesions=200)
    found = area_of(sample)
    number = auc.number(found)
    logits = np.log([number.low / (1 - number.low), number.high / (1 - number.high)])
    assert found.positive_lesions >= auc.TOO_FEW_LESIONS
    assert logits.mean() == pytest.approx(np.log(found.value / (1 - found.value)))
    error = found.jackknifed**0.5 / found.value / (1 - found.value)
    assert 1.96 < np.diff(logits)[0] / 2 / error < 2.1


def test_few_lesions_on_either_side_have_the_score_interval():
    many, few = [0.9, 0.4] * 20, [0.5, 0.1, 0.3]
    for found in (binary_area(many, few), binary_area(few, many)):
        number = auc.number(found)
        assert (number.low, number.high) == auc.newcombe(found)
        assert number.note == "only 3 lesions"


def test_the_jackknife_is_a_little_larger_and_lesions_of_unequal_size_are_worth_less():
    even, uneven = drawn(6, images=200, lesions=None), drawn(6, images=200, lesions=60)
    for sample in (even, uneven):
        found = area_of(sample)
        assert 1 < found.jackknifed / found.variance < 1.25
    assert area_of(even).freedom == pytest.approx((even.truth == 0).sum() - 1)
    assert area_of(uneven).freedom < area_of(uneven).positive_lesions - 1


def test_areas_of_two_classes_that_mirror_each_other_are_one_area():
    sample = drawn(7, classes=2)
    one, other = area_of(sample, 0), area_of(sample, 1)
    assert auc.correlation_of_classes(one, other) == pytest.approx(1)
    assert auc.covariance_of_classes(one, other) == pytest.approx(one.variance)


def test_one_rare_class_does_not_stretch_the_mean_beyond_its_own_interval():
    truth = np.repeat(np.arange(4), (1, 2, 30, 60))
    scores = np.random.default_rng(3).normal(size=(93, 4))
    scores[np.arange(93), truth] += 3.5
    found = [auc.area(scores[:, code], truth == code, np.arange(93), 93) for code in range(4)]
    mean, each = auc.macro(found), [auc.number(area) for area in found]
    assert 0.97 < mean.value < 1
    assert mean.low >= np.mean([number.low for number in each])
    assert mean.low < mean.value < mean.high <= 1
