"""From a label as people write it to a code: our own codes, the challenges' words, all names of the ISIC Archive."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from isic_metadata.diagnosis_hierarchical import DiagnosisEnum
from isic_metadata.fields import LegacyDxEnum

from skinsite.diagnoses import DIAGNOSES

BRANCHES: Mapping[str, str] = {
    "Malignant:Malignant melanocytic proliferations (Melanoma)": "mel",
    "Benign:Benign melanocytic proliferations:Nevus": "nv",
    "Malignant:Malignant adnexal epithelial proliferations - Follicular:Basal cell carcinoma": "bcc",
    "Indeterminate:Indeterminate epidermal proliferations:Solar or actinic keratosis": "ak",
    "Malignant:Malignant epidermal proliferations:Squamous cell carcinoma in situ": "scc_is",
    "Malignant:Malignant epidermal proliferations:Squamous cell carcinoma, Invasive": "scc_inv",
    "Malignant:Malignant epidermal proliferations:Squamous cell carcinoma, NOS": "scc",
    "Benign:Benign epidermal proliferations:Seborrheic keratosis": "bkl",
    "Benign:Benign epidermal proliferations:Solar lentigo": "bkl",
    "Benign:Benign epidermal proliferations:Lichen planus like keratosis": "bkl",
    "Benign:Benign epidermal proliferations:Pigmented benign keratosis": "bkl",
    "Benign:Benign soft tissue proliferations - Fibro-histiocytic:Dermatofibroma": "df",
    "Benign:Benign soft tissue proliferations - Vascular": "vasc",
    "Benign:Hemorrhagic lesions": "vasc",
    "Benign": "benign",
    "Malignant": "malignant",
}
"""A name of the archive belongs to the longest branch that it lies on; other names keep a code of their own."""

WORDS: Mapping[str, str] = {
    "melanoma": "mel",
    "nevus": "nv",
    "naevus": "nv",
    "melanocytic nevus": "nv",
    "melanocytic nevi": "nv",
    "mole": "nv",
    "actinic keratosis": "ak",
    "actinic keratoses": "ak",
    "bowens disease": "scc_is",
    "bowen disease": "scc_is",
    "actinic keratoses and intraepithelial carcinoma": "akiec",
    "actinic keratoses and intraepithelial carcinoma bowens disease": "akiec",
    "squamous cell carcinoma": "scc",
    "basal cell carcinoma": "bcc",
    "benign keratosis": "bkl",
    "benign keratosis like lesions": "bkl",
    "seborrheic keratosis": "bkl",
    "lichenoid keratosis": "bkl",
    "pigmented benign keratosis": "bkl",
    "dermatofibroma": "df",
    "vascular lesion": "vasc",
    "vascular lesions": "vasc",
    "angioma": "vasc",
    "angiokeratoma": "vasc",
    "melanoma metastasis": "mel",
    "nevus spilus": "nv",
    "solar lentigo": "bkl",
    "benign": "benign",
    "malignant": "malignant",
}
MALIGNANT_WORDS: Mapping[str, bool] = {"benign": False, "malignant": True, "merkel_cell_carcinoma": True}
CODE = re.compile(r"[a-z0-9][a-z0-9_.-]{0,39}")


@dataclass(frozen=True)
class Label:
    """A code, its name, and whether it counts as malignant; None where nobody says."""

    code: str
    name: str
    malignant: bool | None


def understand(word: str) -> Label | None:
    """Return what a label means, or None if the vocabulary does not know it. Case, blanks and signs do not matter."""
    key = _key(word)
    code = key.replace(" ", "_")
    if code in DIAGNOSES:
        return _label(code)
    if key in WORDS:
        return _label(WORDS[key])
    return _archive_names().get(key) or _archive_names().get(_key(word.rpartition(":")[2]))


def own(word: str) -> Label | None:
    """Return a label of another field as a code of its own, or None if nothing of it can be a code."""
    code = re.sub(r"[^a-z0-9_.-]+", "_", word.strip().lower()).strip("_.-")[:40]
    return Label(code, word.strip()[:100], None) if CODE.fullmatch(code) else None


def meanings(words: Iterable[str], told: Mapping[str, str] | None = None) -> dict[str, Label | None]:
    """Return what each distinct label means.

    `told` (label: code, empty to leave it out) comes first. Labels that are not known become codes of their own if
    not one of all is known, as in a data set of another field; beside known ones they are more likely mistakes.
    """
    told = {_key(word): code for word, code in (told or {}).items()}
    distinct = sorted({word for word in words if word.strip()})
    found = {word: understand(word) for word in distinct}
    foreign = not any(found.values())
    for word in distinct:
        if _key(word) in told:
            code = told[_key(word)]
            found[word] = (understand(code) or own(code)) if code else None
        elif foreign:
            found[word] = own(word)
    return found


def _label(code: str) -> Label:
    if code in DIAGNOSES:
        return Label(code, DIAGNOSES[code].name, DIAGNOSES[code].malignant)
    return Label(code, code.replace("_", " ").capitalize(), MALIGNANT_WORDS.get(code))


def _key(word: str) -> str:
    return re.sub(r"[\W_]+", " ", word.strip().lower().replace("'", "").replace("’", "")).strip()


@cache
def _archive_names() -> dict[str, Label]:
    """The archive's paths, leaves and legacy names by their key."""
    found: dict[str, Label] = {}
    for entry in DiagnosisEnum:
        label = _of_path(entry.value)
        found[_key(entry.value)] = label
        found.setdefault(_key(entry.value.rpartition(":")[2]), label)
    for legacy in LegacyDxEnum:
        found.setdefault(_key(legacy.value), Label(_key(legacy.value).replace(" ", "_"), legacy.value, None))
    return found


def _of_path(path: str) -> Label:
    branch = path
    while branch and branch not in BRANCHES:
        branch = branch.rpartition(":")[0]
    if branch in BRANCHES and (":" in branch or branch == path):
        return _label(BRANCHES[branch])
    leaf = path.rpartition(":")[2]
    malignant = {"Benign": False, "Malignant": True}.get(path.partition(":")[0])
    return Label(_key(leaf).replace(" ", "_")[:40], leaf, malignant)
