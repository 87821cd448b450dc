"""Numbers, sentences and colours, the same everywhere."""

import re
from pathlib import Path

import pytest

from classifier.consensus import Opinion, sentence
from classifier.templatetags.display import duration, ordinal_place, probability
from skinsite.diagnoses import DIAGNOSES
from skinsite.spreadsheet import cell

TOKENS = Path(__file__).parents[2] / "static" / "css" / "tokens.css"


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.9996, "> 0.999"), (1.0, "1.000"), (0.9994, "0.999"), (0.0004, "< 0.001"), (0, "0.000"), (None, "–")],
)
def test_a_probability_never_claims_more_than_it_is(value, shown):
    assert probability(value) == shown


def test_times_and_places_are_words():
    assert [duration(value) for value in (3.4, 1500, 12345, None)] == ["3 ms", "1.5 s", "12 s", "–"]
    assert [ordinal_place(place) for place in (1, 2, 3, 4, 11, 22, 113)] == [
        "1st",
        "2nd",
        "3rd",
        "4th",
        "11th",
        "22nd",
        "113th",
    ]


def opinion(model: str, code: str, first: float = 0.8, second: float = 0.1) -> Opinion:
    return Opinion(model, code, DIAGNOSES[code].name, first, "Benign keratosis", second)


def test_models_that_agree_are_both():
    assert sentence([opinion("A", "nv"), opinion("B", "nv")]) == "Both models say melanocytic nevus."


def test_models_that_disagree_are_named():
    said = sentence([opinion("A", "nv"), opinion("B", "mel")], reference="mel")
    assert said == "The models disagree: A says melanocytic nevus and B says melanoma; 1 of 2 hit the reference."


def test_actinic_keratosis_does_not_contradict_its_coarse_class():
    assert sentence([opinion("A", "ak"), opinion("B", "akiec")]).startswith("Both models say")
    assert sentence([opinion("A", "ak"), opinion("B", "scc")]).startswith("The models disagree")


def test_who_is_undecided_is_said():
    said = sentence([opinion("A", "nv", 0.41, 0.285)], reference="mel")
    assert "A is undecided: benign keratosis follows at 0.285." in said
    assert "misses the reference" in said


def test_the_pages_use_the_colours_of_the_table():
    css = TOKENS.read_text()
    for code, diagnosis in DIAGNOSES.items():
        assert re.search(rf"\.dx-{code}\b[^{{]*{{ --dx: {diagnosis.colour}; }}", css, re.IGNORECASE), code


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@a", "\tx", "\rx", "\nx"])
def test_a_cell_that_would_run_is_defused(text):
    assert cell(text) == f"'{text}"


def test_numbers_stay_numbers():
    assert [cell(value) for value in (-1.5, 0, None, "plain")] == [-1.5, 0, "", "plain"]
