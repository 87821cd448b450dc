"""What labels mean, however people write them."""

import pytest
from isic_metadata.diagnosis_hierarchical import DiagnosisEnum
from isic_metadata.fields import LegacyDxEnum

from evaluation.intake.vocabulary import CODE, Label, meanings, own, understand
from skinsite.diagnoses import DIAGNOSES

PROLIFERATIONS = "Malignant:Malignant epidermal proliferations"
IN_SITU = f"{PROLIFERATIONS}:Squamous cell carcinoma in situ"
INVASIVE = f"{PROLIFERATIONS}:Squamous cell carcinoma, Invasive"


def code(word: str) -> str | None:
    label = understand(word)
    return label.code if label else None


@pytest.mark.parametrize("own_code", DIAGNOSES)
def test_each_code_of_ours_means_itself_in_any_case(own_code):
    for word in (own_code, own_code.upper(), f" {own_code.title()} ", own_code.replace("_", "-")):
        assert understand(word) == Label(own_code, DIAGNOSES[own_code].name, DIAGNOSES[own_code].malignant)


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("Melanocytic nevi", "nv"),
        ("naevus", "nv"),
        ("melanoma", "mel"),
        ("Benign keratosis-like lesions", "bkl"),
        ("Actinic keratoses and intraepithelial carcinoma / Bowen's disease", "akiec"),
        ("Basal cell carcinoma", "bcc"),
        ("dermatofibroma", "df"),
        ("Vascular lesions", "vasc"),
        ("squamous_cell_carcinoma", "scc"),
        ("seborrheic keratosis", "bkl"),
        ("benign", "benign"),
        ("malignant", "malignant"),
    ],
)
def test_words_of_the_challenges_are_understood(word, expected):
    assert code(word) == code(word.upper()) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("Benign:Benign melanocytic proliferations:Nevus:Nevus, Spitz", "nv"),
        ("Malignant:Malignant melanocytic proliferations (Melanoma):Melanoma in situ", "mel"),
        ("Malignant:Malignant adnexal epithelial proliferations - Follicular:Basal cell carcinoma", "bcc"),
        ("Indeterminate:Indeterminate epidermal proliferations:Solar or actinic keratosis", "ak"),
        ("Benign:Benign epidermal proliferations:Solar lentigo", "bkl"),
        ("Benign:Hemorrhagic lesions:Hemorrhage:Subungual hemorrhage", "vasc"),
        (IN_SITU, "scc_is"),
        (f"{IN_SITU}:Squamous cell carcinoma in situ, Bowens disease", "scc_is"),
        (INVASIVE, "scc_inv"),
        (f"{INVASIVE}:Squamous cell carcinoma, Invasive, Verrucous", "scc_inv"),
        (f"{PROLIFERATIONS}:Squamous cell carcinoma, NOS", "scc"),
        ("Benign", "benign"),
        ("Indeterminate", "indeterminate"),
    ],
)
def test_a_path_of_the_archive_and_its_leaf_mean_the_same(path, expected):
    assert code(path) == code(path.rpartition(":")[2]) == expected


def test_bowens_disease_is_in_situ_and_not_invasive():
    assert code("Bowen's disease") == code("Bowen’s disease") == code("Bowen disease") == "scc_is"


@pytest.mark.parametrize("entry", DiagnosisEnum)
def test_every_name_of_the_archive_has_a_code_that_fits_and_the_malignancy_of_its_branch(entry):
    label = understand(entry.value)
    assert label
    assert CODE.fullmatch(label.code)
    branch = {"Benign": False, "Malignant": True}.get(entry.value.partition(":")[0])
    assert label.malignant == (DIAGNOSES[label.code].malignant if label.code in DIAGNOSES else branch)


def test_a_name_outside_of_the_branches_keeps_a_code_of_its_own():
    assert understand("Bowenoid papulosis") == Label("bowenoid_papulosis", "Bowenoid papulosis", True)


@pytest.mark.parametrize("legacy", LegacyDxEnum)
def test_every_legacy_name_is_understood(legacy):
    assert understand(legacy.value)


@pytest.mark.parametrize(
    ("word", "expected"),
    [("pigmented benign keratosis", "bkl"), ("lichenoid keratosis", "bkl"), ("AIMP", "aimp"), ("angioma", "vasc")],
)
def test_legacy_names_go_where_their_successors_are(word, expected):
    assert code(word) == expected


@pytest.mark.parametrize("word", ["", "  ", "lentigo", "UNK", "cat", "色素痣", "42"])
def test_what_nobody_knows_is_not_understood(word):
    assert understand(word) is None


def test_labels_of_another_field_become_codes_of_their_own():
    found = meanings(["Cat", "Dog", "Dog", "Guinea pig"])
    assert found == {
        "Cat": Label("cat", "Cat", None),
        "Dog": Label("dog", "Dog", None),
        "Guinea pig": Label("guinea_pig", "Guinea pig", None),
    }


def test_a_label_without_a_letter_that_a_code_can_hold_has_no_code():
    assert own("色素痣") is None
    assert own("=1+1") == Label("1_1", "=1+1", None)
    assert len(own("x" * 100).code) == 40


def test_an_unknown_label_beside_known_ones_is_a_mistake():
    assert meanings(["nv", "melanom"]) == {"nv": understand("nv"), "melanom": None}


def test_what_is_told_comes_first():
    found = meanings(["nv", "melanom", "artefact", "cat"], {"MELANOM": "mel", "nv": "df", "artefact": "", "cat": "cat"})
    assert {word: label and label.code for word, label in found.items()} == {
        "nv": "df",
        "melanom": "mel",
        "artefact": None,
        "cat": "cat",
    }
