"""What a person tells about a lesion, as the numbers that a network was trained with."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float32]

SITES = (
    "abdomen",
    "acral",
    "anterior torso",
    "back",
    "chest",
    "ear",
    "face",
    "foot",
    "genital",
    "hand",
    "head/neck",
    "lateral torso",
    "lower extremity",
    "neck",
    "oral/genital",
    "palms/soles",
    "posterior torso",
    "scalp",
    "trunk",
    "unknown",
    "upper extremity",
)
"""The union of HAM10000's localizations and the ISIC Archive's anatom_site_general."""


@dataclass(frozen=True)
class Clinical:
    """Age in years, sex `female` or `male`, site one of SITES; None means unknown."""

    age: float | None = None
    sex: str | None = None
    site: str | None = None


@dataclass(frozen=True)
class Encoding:
    """A named way from a Clinical to `length` numbers."""

    name: str
    length: int
    encode: Callable[[Clinical], list[float]]


_encodings: dict[str, Encoding] = {}


def encoding(name: str, *, length: int) -> Callable[[Callable[[Clinical], list[float]]], Callable[..., list[float]]]:
    """Register the decorated function under `name`; a name is given once."""

    def register(encode: Callable[[Clinical], list[float]]) -> Callable[..., list[float]]:
        if name in _encodings:
            raise ValueError(f"the clinical encoding {name!r} exists already")
        _encodings[name] = Encoding(name, length, encode)
        return encode

    return register


def encoding_names() -> tuple[str, ...]:
    return tuple(_encodings)


def get_encoding(name: str) -> Encoding:
    return _encodings[name]


def encode(name: str, clinical: Clinical) -> Vector:
    """Return the numbers of one case, float32 (length,)."""
    return np.asarray(_encodings[name].encode(clinical), np.float32)


def canonical_site(word: str) -> str:
    """Return the word of SITES that is meant, whatever its case. Raises ValueError that names the list."""
    site = " ".join(word.lower().split())
    if site not in SITES:
        raise ValueError(f"The site {word!r} is not known. Known are: {', '.join(SITES)}.")
    return site


SKLESION_AGE_MEAN, SKLESION_AGE_MAX = 51.90180032733224, 90.0
SKLESION_SEXES = ("female", "male")
SKLESION_PLACES = {
    "arm": ("upper extremity", "hand"),
    "head-or-neck": ("head/neck", "ear", "face", "neck", "scalp"),
    "leg-or-genital": ("lower extremity", "foot", "genital", "oral/genital"),
    "trunk": ("trunk", "abdomen", "back", "chest", "anterior torso", "lateral torso", "posterior torso"),
}


@encoding("sklesion", length=10)
def _sklesion(clinical: Clinical) -> list[float]:
    """One-hot sex and place, each with a last slot for unknown; age / 90, and 1 where the age is missing.

    `acral` and `palms/soles` may be hand or foot, so they count as unknown. Source: the preprocessing of the package
    sklesion 0.2.2.
    """
    sex = [float(clinical.sex == name) for name in SKLESION_SEXES]
    place = [float(clinical.site in words) for words in SKLESION_PLACES.values()]
    missing = clinical.age is None
    age = (SKLESION_AGE_MEAN if clinical.age is None else clinical.age) / SKLESION_AGE_MAX
    return [*sex, float(not any(sex)), *place, float(not any(place)), age, float(missing)]
