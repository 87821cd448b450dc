"""Which phantoms there are: their lesions, their patients, and how often each lesion was photographed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, cycle, islice

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from evaluation.phantoms.classes import LOOKS
from evaluation.phantoms.sheet import bare_skin
from evaluation.phantoms.view import lesion_mask, photograph, random_pose, reach

CODES = ("nv", "mel", "bkl", "bcc", "akiec", "vasc", "df")
SITES = ("back", "trunk", "face", "lower extremity", "upper extremity", "abdomen", "scalp")
SKIN_TYPES = ("I", "II", "III", "IV", "V", "VI")

MOST_VIEWS = 6
AT_LEAST = 5
"""Lesions of every class, where there are enough lesions for it."""
FREQUENT = ("nv", "mel", "nv", "bkl", "nv", "bcc")
"""The classes of all further lesions, in turn."""
TYPES_IN_TURN = ("II", "III", "I", "VI", "IV", "II", "V", "III")

AGES: Mapping[str, tuple[int, int]] = {
    "nv": (18, 65),
    "mel": (35, 88),
    "bkl": (40, 88),
    "bcc": (48, 90),
    "akiec": (52, 90),
    "vasc": (20, 85),
    "df": (25, 65),
}
USUAL_SITES: Mapping[str, tuple[str, ...]] = {
    "nv": ("back", "trunk", "abdomen", "upper extremity", "lower extremity"),
    "mel": ("back", "lower extremity", "upper extremity", "trunk", "scalp"),
    "bkl": ("back", "trunk", "face", "abdomen"),
    "bcc": ("face", "scalp", "back", "trunk"),
    "akiec": ("face", "scalp", "upper extremity"),
    "vasc": ("trunk", "abdomen", "upper extremity", "scalp"),
    "df": ("lower extremity", "upper extremity"),
}


@dataclass(frozen=True)
class Patient:
    """Whose lesion it is; years, and Fitzpatrick's skin type."""

    age: int
    sex: str
    site: str
    skin_type: str


@dataclass(frozen=True)
class Phantom:
    """One picture of one drawn lesion, with what a data set would know about it."""

    name: str
    lesion: str
    """Views of one lesion share this name."""
    code: str
    age: int
    """Years."""
    sex: str
    site: str
    skin_type: str
    pixels: NDArray[np.uint8]
    """(height, width, 3), sRGB."""
    mask: NDArray[np.bool_]
    """(height, width), True where the centre of the pixel lies in the lesion: one connected region."""


def draw(
    *, images: int = 210, lesions: int = 70, size: tuple[int, int] = (320, 240), seed: int = 1
) -> Iterator[Phantom]:
    """Yield `images` phantoms of `lesions` lesions, lesion by lesion; `size` is (width, height) in pixels.

    The same arguments give the same pixels. A ValueError is raised at once unless every lesion has 1 to 6 images.
    """
    if not lesions <= images <= MOST_VIEWS * lesions:
        raise ValueError(f"{images} images of {lesions} lesions: each lesion has 1 to {MOST_VIEWS} images.")
    return _drawn(images, lesions, size, seed)


def _drawn(images: int, lesions: int, size: tuple[int, int], seed: int) -> Iterator[Phantom]:
    rng = np.random.default_rng(seed)
    codes = rng.permutation(list(islice(chain(CODES * AT_LEAST, cycle(FREQUENT)), lesions))).tolist()
    skin_types = rng.permutation(list(islice(cycle(TYPES_IN_TURN), lesions))).tolist()
    number = 0
    for lesion, views in enumerate(_view_counts(rng, images, lesions)):
        patient = _patient(rng, codes[lesion], skin_types[lesion])
        for pixels, mask in _photographs((seed, lesion), codes[lesion], patient.skin_type, views, size):
            number += 1
            yield Phantom(
                name=f"phantom_{number:04}",
                lesion=f"phantom_lesion_{lesion + 1:03}",
                code=codes[lesion],
                pixels=pixels,
                mask=mask,
                **vars(patient),
            )


def _view_counts(rng: Generator, images: int, lesions: int) -> list[int]:
    """Deal `images` out to `lesions`: at least 1 and at most 6 each."""
    further = rng.permutation(np.repeat(np.arange(lesions), MOST_VIEWS - 1))[: images - lesions]
    return [1 + int(count) for count in np.bincount(further, minlength=lesions)]


def _patient(rng: Generator, code: str, skin_type: str) -> Patient:
    return Patient(
        age=int(rng.integers(*AGES[code])),
        sex=str(rng.choice(["female", "male"])),
        site=str(rng.choice(USUAL_SITES[code])),
        skin_type=skin_type,
    )


def _photographs(
    seed: tuple[int, int], code: str, skin_type: str, views: int, size: tuple[int, int]
) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.bool_]]]:
    """Paint one lesion and yield the pixels and the mask of each view of it."""
    rng = np.random.default_rng(seed)
    outline = LOOKS[code].outline(rng)
    sheet = bare_skin(rng, outline, skin_type, unit=min(size) / 2, reach=reach(size))
    LOOKS[code].paint(rng, sheet)
    painted = sheet.developed()
    for _ in range(views):
        pose = random_pose(rng, outline.extent)
        yield photograph(rng, painted, pose, size), lesion_mask(outline, pose, size)
