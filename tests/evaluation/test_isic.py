"""The ISIC sheet gives what isic-challenge-scoring 5.8.0 gave for the same files."""

import json
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from evaluation.metrics import isic
from evaluation.metrics.sample import Sample
from tests.evaluation.oracles import isic_inputs

SCORES = json.loads((Path(__file__).parent / "oracles" / "isic_scores.json").read_text())["scores"]
OURS = {"ap": "average_precision"}
CLOSE = 1e-9


case_of = cache(isic_inputs.case)


@cache
def scored(seed: int) -> dict:
    case = case_of(seed)
    return isic.sheet(Sample.of(case.classes, case.values, case.truth), isic.weights_of(case.names))


def of_kind(kind: str) -> list[int]:
    return [seed for seed in range(isic_inputs.CASES) if case_of(seed).kind == kind]


KINDS = [kind.__name__.strip("_") for kind in isic_inputs.KINDS]


@pytest.mark.parametrize("kind", KINDS)
def test_every_number_is_that_of_the_official_scorer(kind):
    for seed in of_kind(kind):
        case, expected = case_of(seed), SCORES[str(seed)]
        sheet = scored(seed)
        assert sheet["balanced_accuracy"] == pytest.approx(expected["balanced_accuracy"], abs=CLOSE), seed
        for name, values in expected["per_class"].items():
            ours = [sheet["per_class"][code][OURS.get(name, name)] for code in case.classes]
            assert ours == pytest.approx(values, abs=CLOSE), (seed, name)
            assert sheet["macro"][OURS.get(name, name)] == pytest.approx(expected["macro"][name], abs=CLOSE), seed


def test_at_least_200_files_are_compared_and_some_hold_the_image_that_does_not_count():
    assert len(SCORES) >= 200
    assert sum(isic_inputs.BAD_IMAGE in case_of(seed).names for seed in range(isic_inputs.CASES)) >= 50


def partial_area_by_brute_force(truth, scores, least: float) -> float:
    """Area between the ROC curve and the line of the least sensitivity, on the curve's own segments, cut one by one."""
    points = [(0.0, 0.0)]
    for threshold in sorted(set(scores), reverse=True):
        said = [score >= threshold for score in scores]
        false = sum(s and not t for s, t in zip(said, truth, strict=True)) / sum(not t for t in truth)
        true = sum(s and t for s, t in zip(said, truth, strict=True)) / sum(truth)
        points.append((false, true))
    area = 0.0
    for (x0, y0), (x1, y1) in pairwise(points):
        if y1 <= least:
            continue
        if y0 < least:
            x0, y0 = x0 + (x1 - x0) * (least - y0) / (y1 - y0), least
        area += (x1 - x0) * ((y0 - least) + (y1 - least)) / 2
    return area


@pytest.mark.parametrize("seed", range(0, isic_inputs.CASES, 5))
def test_the_partial_area_of_2024_is_the_area_above_80_percent_sensitivity(seed):
    case = case_of(seed)
    counts = isic.weights_of(case.names) > 0
    truth, values = np.array(case.truth)[counts], np.array(case.values)[counts]
    sheet = scored(seed)
    for k, code in enumerate(case.classes):
        expected = partial_area_by_brute_force((truth == k).tolist(), values[:, k].tolist(), 0.8)
        found = sheet["per_class"][code]["pauc_2024"]
        assert found == pytest.approx(expected, abs=CLOSE)
        assert -CLOSE <= found <= 0.2 + CLOSE


def test_a_perfect_score_has_partial_areas_of_1_and_of_a_fifth():
    entry = isic.sheet(Sample.of("ab", [[1, 0], [0, 1]], [0, 1]), np.ones(2))["per_class"]["a"]
    assert (entry["auc_sens_80"], entry["pauc_2024"]) == pytest.approx((1, 0.2))


def test_a_tie_of_the_largest_value_is_wrong_for_every_class():
    assert isic.balanced_accuracy(Sample.of("ab", [[0.5, 0.5], [0, 1]], [0, 1]), np.ones(2)) == 0.5


def test_a_class_without_images_has_no_curve_and_is_left_out_of_the_mean():
    sheet = isic.sheet(Sample.of("abc", [[0.9, 0.1, 0], [0.2, 0.8, 0]], [0, 1]), np.ones(2))
    assert sheet["per_class"]["c"]["auc"] is None
    assert sheet["per_class"]["c"]["average_precision"] is None
    assert sheet["per_class"]["c"]["sensitivity"] == 1
    assert sheet["balanced_accuracy"] == 1
    assert sheet["averaged_over"] == ["a", "b"]


def test_a_class_whose_only_image_does_not_count_is_not_averaged():
    sample = Sample.of("abc", [[0.9, 0.1, 0], [0.2, 0.8, 0], [0.5, 0.2, 0.3]], [0, 1, 2])
    sheet = isic.sheet(sample, isic.weights_of(["x", "y", "ISIC_0035068.jpg"]))
    assert (sheet["images"], sheet["balanced_accuracy"]) == (2, 1)
    assert sheet["averaged_over"] == ["a", "b"]


def test_without_any_image_that_counts_nothing_is_averaged():
    sheet = isic.sheet(Sample.of("ab", [[0.9, 0.1]], [0]), np.zeros(1))
    assert sheet["balanced_accuracy"] is None
    assert sheet["averaged_over"] == []
