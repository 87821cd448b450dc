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
