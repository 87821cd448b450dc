"""The one table of diagnoses: codes, names, malignancy and colours.

Names follow HAM10000 (doi:10.1038/sdata.2018.161) and the ISIC challenges; the colours are Okabe and Ito's,
warm for malignant and pre-malignant classes, cool for benign ones, and the same on every page, chart and export.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

UNKNOWN_COLOUR = "#8a8f98"
"""Codes that the table does not know are drawn in this grey with a hatch over it."""

MALIGNANT_DEFINITION = (
    "Sum over the classes that count as malignant; pre-malignant actinic keratosis (ak, akiec) is included."
)


@dataclass(frozen=True)
class Diagnosis:
    """A class of the taxonomy; `malignant` is None where the word does not apply or nobody knows."""

    code: str
    name: str
    malignant: bool | None
    colour: str


DIAGNOSES: Mapping[str, Diagnosis] = {
    diagnosis.code: diagnosis
    for diagnosis in (
        Diagnosis("mel", "Melanoma", True, "#D55E00"),
        Diagnosis("bcc", "Basal cell carcinoma", True, "#E69F00"),
        Diagnosis("scc", "Squamous cell carcinoma", True, "#CC79A7"),
        Diagnosis("scc_is", "Squamous cell carcinoma in situ", True, "#CC79A7"),
        Diagnosis("scc_inv", "Invasive squamous cell carcinoma", True, "#CC79A7"),
        Diagnosis("akiec", "Actinic keratosis / Bowen's disease", True, "#F0E442"),
        Diagnosis("ak", "Actinic keratosis", True, "#F0E442"),
        Diagnosis("nv", "Melanocytic nevus", False, "#0072B2"),
        Diagnosis("bkl", "Benign keratosis", False, "#56B4E9"),
        Diagnosis("df", "Dermatofibroma", False, "#009E73"),
        Diagnosis("vasc", "Vascular lesion", False, "#7F7F7F"),
    )
}


def malignant_sum(probabilities: Mapping[str, float], malignant: Iterable[str]) -> float:
    """Return the probability in [0, 1] that falls on the codes in `malignant`."""
    codes = set(malignant)
    return sum(value for code, value in probabilities.items() if code in codes)


@dataclass(frozen=True)
class Taxonomy:
    """A set of target classes, and where each known code goes; a code that is not in `places` has no place.

    `malignant` taxonomies place codes that are not in the table by what their model or data set says of them.
    """

    name: str
    title: str
    classes: tuple[str, ...]
    places: Mapping[str, str]
    by_malignancy: bool = False
    needs: frozenset[str] = frozenset()


_SEVEN = ("akiec", "bcc", "bkl", "df", "mel", "nv", "vasc")
_EIGHT = ("mel", "nv", "bcc", "ak", "bkl", "df", "vasc", "scc")
_BY_MALIGNANCY = {code: "malignant" if entry.malignant else "benign" for code, entry in DIAGNOSES.items()}
_BINARY = {"malignant": "malignant", "benign": "benign"}
_MELANOMA = {code: "mel" if code == "mel" else "other" for code in (*DIAGNOSES, "benign", "other")}

TAXONOMIES: Mapping[str, Taxonomy] = {
    taxonomy.name: taxonomy
    for taxonomy in (
        Taxonomy(
            "ham7",
            "Seven classes of HAM10000; actinic keratosis and squamous cell carcinoma are summed into akiec",
            _SEVEN,
            {code: code for code in _SEVEN} | {"ak": "akiec", "scc": "akiec", "scc_is": "akiec"},
            needs=frozenset(_SEVEN),
        ),
        Taxonomy(
            "isic8",
            "Eight classes of ISIC 2019",
            _EIGHT,
            {code: code for code in _EIGHT} | {"scc_is": "scc", "scc_inv": "scc"},
            needs=frozenset(_EIGHT),
        ),
        Taxonomy(
            "malignant",
            "Malignant against benign; actinic keratosis counts as malignant",
            ("benign", "malignant"),
            _BY_MALIGNANCY | _BINARY,
            by_malignancy=True,
            needs=frozenset(("benign", "malignant")),
        ),
        Taxonomy(
            "malignant_strict",
            "Malignant against benign, without actinic keratosis",
            ("benign", "malignant"),
            {code: place for code, place in _BY_MALIGNANCY.items() if code not in ("ak", "akiec")} | _BINARY,
            by_malignancy=True,
            needs=frozenset(("benign", "malignant")),
        ),
        Taxonomy(
            "melanoma",
            "Melanoma against the rest",
            ("other", "mel"),
            _MELANOMA,
            needs=frozenset(("mel", "other")),
        ),
    )
}
NATIVE = "native"
"""The taxonomy of models that share all their classes, whatever these are."""
SQUAMOUS = frozenset(("scc", "scc_is", "scc_inv"))
MALIGNANCY = {"benign": False, "malignant": True}
"""The two classes of a model that tells nothing else apart."""
NAMES_BEYOND = {"benign": "Benign", "malignant": "Malignant", "other": "Any other"}


def name_of(code: str) -> str:
    """The name of a code of the table, or the code itself."""
    return DIAGNOSES[code].name if code in DIAGNOSES else NAMES_BEYOND.get(code, code)
