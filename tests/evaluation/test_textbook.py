"""The textbook sheet against scikit-learn, plain loops and its own rules."""

import itertools

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn import metrics

from evaluation.metrics import calibration, catalogue, textbook
from evaluation.metrics.sample import Sample
from tests.factories.samples import drawn

FEW = 60
"""Replicates, where the intervals do not matter."""
RATES = [metric.code for metric in catalogue.HEADLINE]
PER_CLASS = [metric.code for metric in catalogue.PER_CLASS]
SAMPLES = {
    "smooth": drawn(1),
    "ties": drawn(2, coarse=True),
    "two classes": drawn(3, classes=2),
    "nine classes": drawn(4, images=300, classes=9),
    "no repeats": drawn(5, lesions=None),
    "few": drawn(6, images=14, lesions=5, classes=3),
}


@pytest.fixture(params=SAMPLES)
def sample(request) -> Sample:
    return SAMPLES[request.param]


def numbers(document: dict) -> list[dict]:
    found = [document[name] for name in RATES]
    return found + [entry[name] for entry in document["per_class"].values() for name in PER_CLASS]


def check(document: dict) -> None:
    """Every value lies in its interval; what is undefined says why."""
    for number in numbers(document):
        assert set(number) <= {"value", "low", "high", "note"}
        if number["value"] is None:
            assert (number["low"], number["high"]) == (None, None)
            assert number["note"]
        elif number["low"] is None:
            assert number["high"] is None
            assert number["note"]
        else:
            assert number["low"] <= number["value"] <= number["high"], number
    for name in ("accuracy", "balanced_accuracy", "macro_f1", "macro_auc"):
        number = document[name]
        assert number["low"] is None or 0 <= number["low"] <= number["high"] <= 1


def points(document: dict) -> dict:
    per_class = {
        code: {name: entry[name]["value"] for name in PER_CLASS} | {"support": entry["support"]}
        for code, entry in document["per_class"].items()
    }
    return {name: document[name]["value"] for name in RATES} | {"per_class": per_class}


def areas(sample: Sample) -> list[float]:
    return [metrics.roc_auc_score(sample.truth == k, sample.probabilities[:, k]) for k in sample.supported]


def averaged(score, sample: Sample) -> float:
    return score(sample.truth, sample.predicted, labels=sample.supported, average="macro", zero_division=0)


ORACLES = {
    "accuracy": lambda s: metrics.accuracy_score(s.truth, s.predicted),
    "balanced_accuracy": lambda s: averaged(metrics.recall_score, s),
    "macro_f1": lambda s: averaged(metrics.f1_score, s),
    "macro_auc": lambda s: np.mean(areas(s)),
    "log_loss": lambda s: metrics.log_loss(s.truth, s.probabilities, labels=range(len(s.codes))),
    "brier": lambda s: ((s.probabilities - np.eye(len(s.codes))[s.truth]) ** 2).sum(1).mean(),
}
"""An independent value of every headline but the calibration errors, which have tests of their own."""


def test_headlines_are_those_of_scikit_learn(sample):
    found = points(textbook.sheet(sample, replicates=FEW))
    for code in set(RATES) - {"ece", "ece_mass"}:
        assert found[code] == pytest.approx(ORACLES[code](sample)), code


def test_class_figures_are_those_of_scikit_learn(sample):
    document = textbook.sheet(sample, replicates=FEW)
    assert document["confusion"]["counts"] == (
        metrics.confusion_matrix(sample.truth, sample.predicted, labels=range(len(sample.codes))).tolist()
    )
    for k, code in enumerate(sample.codes):
        truth, said, scores = sample.truth == k, sample.predicted == k, sample.probabilities[:, k]
        found = points(document)["per_class"][code]
        assert found["support"] == truth.sum()
        assert found["specificity"] == pytest.approx(metrics.recall_score(~truth, ~said))
        if said.any():
            assert found["precision"] == pytest.approx(metrics.precision_score(truth, said))
        if truth.any():
            assert found["sensitivity"] == pytest.approx(metrics.recall_score(truth, said))
            assert found["f1"] == pytest.approx(metrics.f1_score(truth, said))
            assert found["auc"] == pytest.approx(metrics.roc_auc_score(truth, scores))
            assert found["average_precision"] == pytest.approx(metrics.average_precision_score(truth, scores))


def test_every_value_lies_in_its_interval(sample):
    check(textbook.sheet(sample, replicates=FEW))


def test_replicates_of_average_precision_are_those_of_scikit_learn_with_weights():
    sample = drawn(7, coarse=True)
    weights = np.random.default_rng(1).integers(0, 3, (5, sample.lesion_count)).astype(np.float32)
    for k in range(len(sample.codes)):
        found = textbook._Ranked(sample, k).replicates(weights)
        expected = [
            metrics.average_precision_score(
                sample.truth == k, sample.probabilities[:, k], sample_weight=row[sample.lesions]
            )
            for row in weights
        ]
        assert found == pytest.approx(expected, abs=1e-6)


def expected_calibration_error(sample: Sample) -> float:
    total = 0.0
    for place in range(15):
        low, high = np.linspace(0, 1, 16)[place : place + 2]
        mine = [row for row, top in enumerate(sample.probabilities.max(1)) if low < top <= high]
        if mine:
            confidence = np.mean([sample.probabilities[row].max() for row in mine])
            total += len(mine) / sample.images * abs(np.mean([sample.right[row] for row in mine]) - confidence)
    return total


def test_calibration_error_is_that_of_a_plain_loop(sample):
    found = calibration.error(sample, calibration.equal_width(sample))
    assert found == pytest.approx(expected_calibration_error(sample))


def test_bins_of_equal_mass_hold_nearly_the_same_number_of_images():
    sample = drawn(8, images=600, lesions=None)
    sizes = np.bincount(calibration.equal_mass(sample).of)
    assert len(sizes) == calibration.BINS
    assert sizes.max() - sizes.min() <= 2


def test_a_calibration_error_has_an_interval_from_500_images_up():
    small, large = (textbook.sheet(drawn(9, images=n, lesions=300), replicates=FEW)["ece"] for n in (499, 500))
    assert small["low"] is None
    assert "500" in small["note"]
    assert large["low"] <= large["value"] <= large["high"]


def test_a_perfectly_calibrated_model_shows_about_the_error_that_is_named():
    rng = np.random.default_rng(3)
    top = rng.uniform(0.5, 1, 4000)
    truth = (rng.random(4000) >= top).astype(int)
    sample = Sample.of("ab", np.stack([top, 1 - top], 1), truth)
    bins = calibration.equal_width(sample)
    assert calibration.if_perfect(sample, bins) == pytest.approx(calibration.error(sample, bins), abs=0.01)


def test_an_absent_class_and_one_that_is_never_predicted_have_no_number_but_a_reason():
    values = [[0.7, 0.2, 0.1, 0.0], [0.6, 0.3, 0.1, 0.0], [0.2, 0.1, 0.7, 0.0]]
    document = textbook.sheet(Sample.of("abcd", values, [0, 1, 0]), replicates=FEW)
    check(document)
    assert document["averaged_over"] == ["a", "b"]
    for name in ("sensitivity", "f1", "auc", "average_precision"):
        assert document["per_class"]["d"][name]["value"] is None
    assert document["per_class"]["b"]["precision"] == {
        "value": None,
        "low": None,
        "high": None,
        "note": "never predicted",
    }
    assert document["per_class"]["b"]["f1"]["value"] == 0
    assert document["per_class"]["c"]["precision"]["value"] == 0
    assert document["balanced_accuracy"]["value"] == pytest.approx(0.25)


def test_probabilities_of_zero_are_clipped_and_counted():
    document = textbook.sheet(Sample.of("ab", [[0, 1], [1, 0]], [0, 0]), replicates=FEW)
    assert document["clipped"] == 1
    assert document["log_loss"]["value"] == pytest.approx(-np.log(1e-15) / 2)
    assert document["brier"]["value"] == 1


def test_an_empty_sample_has_reasons_instead_of_numbers():
    document = textbook.sheet(Sample.of("ab", np.zeros((0, 2)), []))
    assert all(document[name]["value"] is None and document[name]["note"] for name in RATES)
    assert (document["images"], document["lesions"], document["per_class"]) == (0, 0, {})


EDGES = {
    "one image": ("ab", [[0.7, 0.3]], [0], None),
    "one image, wrong": ("ab", [[0.3, 0.7]], [0], None),
    "one class of several": ("abc", [[0.7, 0.2, 0.1]] * 4, [0] * 4, None),
    "a model of one class": ("a", [[1.0]] * 4, [0] * 4, None),
    "one lesion with 40 images": ("ab", [[0.7, 0.3], [0.4, 0.6]] * 20, [0] * 40, [0] * 40),
    "two lesions, one with 40 images": ("ab", [[0.7, 0.3]] * 41, [0] * 40 + [1], [0] * 40 + [1]),
    "all right": ("ab", [[0.7, 0.3], [0.3, 0.7]] * 5, [0, 1] * 5, None),
    "all wrong": ("ab", [[0.7, 0.3], [0.3, 0.7]] * 5, [1, 0] * 5, None),
    "all tied": ("abc", [[1 / 3] * 3] * 6, [0, 1, 2] * 2, None),
    "600 images, all alike": ("ab", [[0.5, 0.5]] * 600, [0, 1] * 300, [*range(60)] * 10),
}


@pytest.mark.parametrize("edge", EDGES)
def test_edges_give_numbers_or_reasons(edge):
    codes, values, truth, lesions = EDGES[edge]
    document = textbook.sheet(Sample.of(codes, values, truth, lesions), replicates=FEW)
    check(document)
    assert document["images"] == len(truth)


def test_where_all_is_right_the_intervals_do_not_collapse():
    document = textbook.sheet(Sample.of("ab", [[0.7, 0.3], [0.3, 0.7]] * 5, [0, 1] * 5), replicates=400)
    for number in (
        document["balanced_accuracy"],
        document["macro_auc"],
        *(document["per_class"]["a"][name] for name in ("sensitivity", "specificity", "precision", "auc")),
    ):
        assert number["value"] == number["high"] == 1
        assert number["low"] < 0.95


def test_ties_are_counted():
    assert textbook.sheet(Sample.of("ab", [[0.5, 0.5], [0.4, 0.6]], [0, 1]), replicates=FEW)["ties"] == 1


@st.composite
def samples(draw) -> Sample:
    """Few images, few classes, coarse values: ties, absent classes and full lesions are common."""
    classes, images = draw(st.integers(1, 4)), draw(st.integers(1, 12))
    row = st.lists(st.integers(0, 4), min_size=classes, max_size=classes).filter(any)
    values = np.array([draw(row) for _ in range(images)], float)
    truth = draw(st.lists(st.integers(0, classes - 1), min_size=images, max_size=images))
    lesions = draw(st.lists(st.integers(0, 5), min_size=images, max_size=images))
    return Sample.of([f"c{k}" for k in range(classes)], values / values.sum(1, keepdims=True), truth, lesions)


many = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)


@many
@given(samples())
def test_any_sample_gives_numbers_within_their_intervals(sample):
    check(textbook.sheet(sample, replicates=20))


def same(one, other) -> None:
    assert one.keys() == other.keys()
    for name, value in one.items():
        if isinstance(value, dict):
            same(value, other[name])
        else:
            assert (value is None) == (other[name] is None), name
            assert value is None or value == pytest.approx(other[name], abs=1e-12), name


@many
@given(samples(), st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_no_value(sample, random):
    order = list(range(sample.images))
    random.shuffle(order)
    moved = Sample.of(sample.codes, sample.probabilities[order], sample.truth[order], sample.lesions[order])
    same(points(textbook.sheet(sample, replicates=5)), points(textbook.sheet(moved, replicates=5)))


@pytest.mark.parametrize("order", list(itertools.permutations(range(4)))[1::5])
def test_the_order_of_classes_only_reorders_the_classes(order):
    sample = drawn(10)
    place = np.argsort(order)
    moved = Sample(
        tuple(sample.codes[k] for k in order), sample.probabilities[:, order], place[sample.truth], sample.lesions
    )
    one, other = points(textbook.sheet(sample, replicates=5)), points(textbook.sheet(moved, replicates=5))
    assert list(other["per_class"]) == list(moved.codes)
    same(one, other)


def test_the_drawn_numbers_of_a_class_with_few_lesions_say_so():
    truth = np.repeat([0, 1], [2, 40])
    probabilities = np.where(truth[:, None] == [0, 1], 0.9, 0.1)
    found = textbook.sheet(Sample.of("ab", probabilities, truth), replicates=FEW)["per_class"]
    assert (
        found["a"]["f1"]["note"] == found["a"]["average_precision"]["note"] == "only 2 lesions: the interval is rough"
    )
    assert "note" not in found["b"]["f1"]
