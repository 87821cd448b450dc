"""Where labels go, rule by rule."""

import numpy as np
import pytest

from evaluation.metrics import taxonomy
from evaluation.metrics.taxonomy import Unreachable, in_classes, mapping, summed, target
from skinsite.diagnoses import DIAGNOSES, TAXONOMIES

SEVEN = ("akiec", "bcc", "bkl", "df", "mel", "nv", "vasc")
EIGHT = ("mel", "nv", "bcc", "ak", "bkl", "df", "vasc", "scc")
TRUTHS = {code: entry.malignant for code, entry in DIAGNOSES.items()}


def known(codes) -> dict[str, bool | None]:
    return {code: TRUTHS.get(code) for code in codes}


def truths_in(name: str, *models) -> dict[str, str | None]:
    found = target(name, models, TRUTHS)
    return {code: found.truth(code) for code in TRUTHS}


def test_seven_classes_hold_actinic_keratosis_and_carcinoma_in_situ_as_akiec():
    places = truths_in("ham7", SEVEN, EIGHT)
    assert {code for code, place in places.items() if place == "akiec"} == {"akiec", "ak", "scc", "scc_is"}
    assert places["scc_inv"] is None
    assert all(places[code] == code for code in SEVEN)
    assert mapping("ham7", "m", known(EIGHT)) == {
        "mel": "mel", "nv": "nv", "bcc": "bcc", "bkl": "bkl", "df": "df", "vasc": "vasc", "ak": "akiec", "scc": "akiec",
    }  # fmt: skip


def test_summed_probabilities_beat_a_single_larger_one():
    """ak 0.3 and scc 0.3 are akiec 0.6, more than bkl 0.35."""
    row = dict.fromkeys(EIGHT, 0.0) | {"ak": 0.3, "scc": 0.3, "bkl": 0.35, "nv": 0.05}
    values = np.array([[row[code] for code in EIGHT]])
    assert EIGHT[values.argmax()] == "bkl"
    found = summed(values, EIGHT, mapping("ham7", "m", known(EIGHT)), SEVEN)
    assert SEVEN[found.argmax()] == "akiec"
    assert found[0, SEVEN.index("akiec")] == pytest.approx(0.6)
    assert found.sum() == pytest.approx(1)


def test_eight_classes_have_no_place_for_akiec():
    places = truths_in("isic8", EIGHT)
    assert places["akiec"] is None
    assert (places["scc"], places["scc_is"], places["scc_inv"], places["ak"]) == ("scc", "scc", "scc", "ak")


def test_a_model_of_seven_classes_cannot_reach_eight():
    with pytest.raises(Unreachable, match=r"^Old net cannot be scored as isic8 .*ak, scc.*leave this model out\.$"):
        mapping("isic8", "Old net", known(SEVEN))


@pytest.mark.parametrize("code", ["mel", "bcc", "scc", "scc_is", "scc_inv", "akiec", "ak"])
def test_malignant_counts_actinic_keratosis_and_carcinoma(code):
    assert truths_in("malignant", SEVEN)[code] == "malignant"


@pytest.mark.parametrize("code", ["nv", "bkl", "df", "vasc"])
@pytest.mark.parametrize("name", ["malignant", "malignant_strict"])
def test_the_rest_is_benign(name, code):
    assert truths_in(name, SEVEN)[code] == "benign"


def test_strictly_malignant_leaves_actinic_keratosis_out():
    places = truths_in("malignant_strict", EIGHT, EIGHT)
    assert {code for code, place in places.items() if place is None} == {"ak", "akiec"}
    assert places["scc"] == "malignant"


@pytest.mark.parametrize("models", [(SEVEN,), (EIGHT, SEVEN), (SEVEN, EIGHT)])
def test_strictly_malignant_leaves_carcinoma_out_too_once_a_model_has_akiec(models):
    places = truths_in("malignant_strict", *models)
    assert {code for code, place in places.items() if place is None} == {"ak", "akiec", "scc", "scc_is", "scc_inv"}


def test_the_strict_score_is_malignant_of_malignant_and_benign():
    classes = ("akiec", "mel", "nv")
    places = mapping("malignant_strict", "m", known(classes))
    assert places == {"mel": "malignant", "nv": "benign"}
    found = summed(np.array([[0.5, 0.3, 0.2]]), classes, places, ("benign", "malignant"))
    assert found[0] == pytest.approx([0.4, 0.6])


def test_a_row_without_mass_in_the_taxonomy_is_uniform():
    found = summed(np.array([[1.0, 0.0]]), ("ak", "nv"), {"nv": "benign"}, ("benign", "malignant"))
    assert found[0] == pytest.approx([0.5, 0.5])


def test_melanoma_stands_against_everything_else():
    places = truths_in("melanoma", SEVEN)
    assert [code for code, place in places.items() if place == "mel"] == ["mel"]
    assert all(places.values())
    assert mapping("melanoma", "m", {"mel": True, "rare": None})["rare"] == "other"


def test_a_model_of_malignant_and_benign_cannot_say_melanoma():
    with pytest.raises(Unreachable, match="nothing of it stands for mel"):
        mapping("melanoma", "m", {"benign": False, "malignant": True})


def test_codes_beyond_the_table_go_by_their_malignancy():
    truths = {"merkel": True, "wart": False, "odd": None}
    found = target("malignant", [SEVEN], truths)
    assert [found.truth(code) for code in truths] == ["malignant", "benign", None]
    assert mapping("malignant", "m", truths) == {"merkel": "malignant", "wart": "benign"}
    with pytest.raises(Unreachable, match="nothing of it stands for malignant"):
        mapping("malignant", "m", {"wart": False})


def test_native_needs_the_same_classes_in_any_order():
    found = target("native", [SEVEN, tuple(reversed(SEVEN))], TRUTHS)
    assert found.classes == SEVEN
    assert found.truth("ak") == "akiec"
    assert found.truth("scc_inv") is None
    assert mapping("native", "m", known(SEVEN)) == {code: code for code in SEVEN}
    with pytest.raises(Unreachable, match=r"do not share all their classes: choose one of the other taxonomies\.$"):
        target("native", [SEVEN, EIGHT], TRUTHS)


def test_an_unknown_taxonomy_is_refused_with_the_known_ones():
    with pytest.raises(Unreachable, match=r"'ham9' is not known.*ham7, isic8, malignant, .*native"):
        target("ham9", [SEVEN], TRUTHS)


def test_an_override_moves_a_class_or_takes_it_away():
    assert mapping("ham7", "m", known(EIGHT), {"scc": "bcc"})["scc"] == "bcc"
    assert "scc" not in mapping("ham7", "m", known(EIGHT), {"scc": ""})
    with pytest.raises(Unreachable, match="nothing of it stands for nv"):
        mapping("ham7", "m", known(EIGHT), {"nv": ""})


@pytest.mark.parametrize(
    ("truth", "classes", "place"),
    [
        ("ak", SEVEN, "akiec"),
        ("ak", EIGHT, "ak"),
        ("akiec", EIGHT, None),
        ("scc", SEVEN, "akiec"),
        ("scc_is", EIGHT, "scc"),
        ("scc_is", SEVEN, "akiec"),
        ("scc_inv", EIGHT, "scc"),
        ("scc_inv", SEVEN, None),
        ("scc_inv", ("benign", "malignant"), "malignant"),
        ("nv", ("benign", "malignant"), "benign"),
        ("wart", ("benign", "malignant"), None),
        ("wart", SEVEN, None),
    ],
)
def test_the_class_that_holds_a_truth(truth, classes, place):
    assert in_classes(truth, classes) == place


def test_an_unknown_truth_goes_by_its_malignancy_in_a_model_of_malignant_and_benign():
    assert in_classes("wart", ("benign", "malignant"), {"wart": False}) == "benign"
    assert in_classes("wart", ("benign", "malignant"), {"wart": None}) is None


@pytest.mark.parametrize("name", TAXONOMIES)
def test_every_place_is_a_class_of_its_taxonomy(name):
    found = TAXONOMIES[name]
    assert set(found.places.values()) == set(found.classes) == found.needs
    assert taxonomy.target(name, [SEVEN], TRUTHS).classes == found.classes
