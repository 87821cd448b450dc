"""Rates by subgroup against a count by hand, and what cannot be said."""

import numpy as np
import pytest

from evaluation.metrics import subgroups
from evaluation.metrics.sample import Sample

CODES = ("mel", "nv")


def sample(images: int = 80) -> Sample:
    rng = np.random.default_rng(5)
    first = rng.random(images)
    return Sample.of(CODES, np.stack([first, 1 - first], 1), rng.integers(0, 2, images), list(range(images)))


def test_right_answers_and_found_malignant_ones_are_counted():
    found = sample()
    sex = ["female" if place % 3 else "male" for place in range(found.images)]
    malignancy = subgroups.Malignancy(found.truth == 0, found.predicted == 0)
    rows = {row["value"]: row for row in subgroups.table(found, {"sex": sex}, malignancy)}
    for value in ("female", "male"):
        mine = np.array(sex) == value
        assert rows[value]["images"] == mine.sum()
        assert rows[value]["sensitivity"]["value"] == pytest.approx(found.right[mine].mean())
        sick = mine & (found.truth == 0)
        assert rows[value]["malignant"]["images"] == sick.sum()
        assert rows[value]["malignant"]["value"] == pytest.approx((found.predicted[sick] == 0).mean())


def test_too_few_and_nobody_are_said_and_never_shown_as_a_rate():
    found = sample(30)
    types = ["I"] * 22 + ["IV"] * 8
    bands = [subgroups.skin_band(value) for value in types]
    rows = {row["value"]: row for row in subgroups.table(found, {"skin type": bands})}
    assert rows["V-VI"]["note"] == "0 images of skin type V-VI: nothing can be said"
    assert rows["III-IV"]["note"] == "8 images: too few"
    assert rows["III-IV"]["sensitivity"]["value"] is None
    assert "malignant" not in rows["I-II"]
    few = subgroups.Malignancy(np.arange(30) < 9, np.arange(30) < 5)
    rows = {row["value"]: row for row in subgroups.table(found, {"skin type": bands}, few)}
    assert rows["I-II"]["malignant"]["value"] is None
    assert rows["I-II"]["malignant"]["images"] == 9
