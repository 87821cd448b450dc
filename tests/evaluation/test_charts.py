"""The coordinates of inline charts: 0 to 1, x to the right and y upwards, in a box of 100 by 100."""

import pytest
from django.template.loader import render_to_string

from evaluation.templatetags import charts

CURVE = {"x": [0, 0.5, 1], "y": [0, None, 1], "low": [0, 0.25, 0.5], "high": [0.5, 1, 1]}


def test_a_curve_leaves_out_what_is_undefined():
    assert charts.line(CURVE) == "M0.0 100.0L100.0 0.0"
    assert charts.line(CURVE | {"y": [None] * 3}) == ""


def test_a_band_goes_there_and_back():
    assert charts.band(CURVE) == "M0.0 50.0L50.0 0.0L100.0 0.0L100.0 50.0L50.0 75.0L0.0 100.0Z"
    assert charts.band(CURVE | {"low": [None] * 3}) == ""


@pytest.mark.parametrize(
    ("counts", "path"),
    [
        ([1, 0, 2, 1], "M0 100V50.0H25.0V100.0H50.0V0.0H75.0V50.0H100.0V100Z"),
        ([0], "M0 100V100.0H100.0V100Z"),
        ([], "M0 100V100Z"),
    ],
)
def test_the_highest_bar_is_as_high_as_the_box(counts, path):
    assert charts.steps(counts) == path


@pytest.mark.parametrize(
    ("number", "ends"),
    [
        ({"value": 0.5, "low": 0.25, "high": 0.75}, "M25.0 5H75.0"),
        ({"value": 0.5, "low": None, "high": None}, "M50.0 5H50.0"),
        ({"value": 0.0, "low": 0.0, "high": 1.2}, "M0.0 5H100.0"),
    ],
)
def test_an_interval_lies_on_its_scale(number, ends):
    assert f'class="range" d="{ends}"' in render_to_string("evaluation/_interval.html", {"number": number})
