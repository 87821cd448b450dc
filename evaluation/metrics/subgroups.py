"""Sensitivity by subgroup, with what can not be said written out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from evaluation.documents.shapes import MalignantFound, Subgroup
from evaluation.metrics import rates
from evaluation.metrics.number import Number, undefined
from evaluation.metrics.sample import Booleans, Sample

FEW_IMAGES = 10
UNKNOWN = "not recorded"
EXPECTED: Mapping[str, tuple[str, ...]] = {
    "sex": ("female", "male"),
    "age": ("below 30", "30 to 49", "50 to 69", "70 and above"),
    "skin type": ("I-II", "III-IV", "V-VI"),
}
_TYPES = {"I": "I-II", "II": "I-II", "III": "III-IV", "IV": "III-IV", "V": "V-VI", "VI": "V-VI"}


def age_band(age: float | None) -> str:
    if age is None:
        return UNKNOWN
    return "below 30" if age < 30 else "30 to 49" if age < 50 else "50 to 69" if age < 70 else "70 and above"


def skin_band(skin_type: str) -> str:
    return _TYPES.get(skin_type.strip().upper(), UNKNOWN)


@dataclass(frozen=True, eq=False)
class Malignancy:
    """Who is malignant (n,) and who was put into a malignant class (n,)."""

    truth: Booleans
    said: Booleans


def table(
    sample: Sample, attributes: Mapping[str, Sequence[str]], malignancy: Malignancy | None = None
) -> list[Subgroup]:
    """Return a row for each value of each attribute (n values each): the share of right answers with its interval.

    `malignant` is the sensitivity for malignant pictures, where `malignancy` tells which these are. Rates below 10
    pictures are not shown, and expected values without a picture are named. Case mix differs between subgroups, so
    that a difference is no proof of unfairness.
    """
    rows = []
    for attribute, values in attributes.items():
        given = np.asarray([value or UNKNOWN for value in values])
        expected = EXPECTED.get(attribute, ())
        found = [*expected, *sorted(set(given.tolist()) - {*expected, UNKNOWN})]
        if set(given.tolist()) == {UNKNOWN} and attribute != "skin type":
            continue
        for value in [*found, UNKNOWN] if (given == UNKNOWN).any() else found:
            rows.append(_row(sample, attribute, value, given == value, malignancy))
    return rows


def _row(sample: Sample, attribute: str, value: str, mine: Booleans, malignancy: Malignancy | None) -> Subgroup:
    images, note, number = int(mine.sum()), "", Number()
    if not images:
        what = "skin type " if attribute == "skin type" else f"{attribute} "
        note = f"0 images of {what}{value}: nothing can be said"
    elif images < FEW_IMAGES:
        note = f"{images} image{'s' if images > 1 else ''}: too few"
    else:
        number = rates.rate(sample.right[mine], sample.lesions[mine], "")
        note = number.note
    row: Subgroup = {
        "attribute": attribute,
        "value": value,
        "images": images,
        "lesions": sample.lesions_of(mine),
        "sensitivity": number.to_json(),
        "note": note,
    }
    return {**row, "malignant": _found(sample, mine & malignancy.truth, malignancy)} if malignancy else row


def _found(sample: Sample, mine: Booleans, malignancy: Malignancy) -> MalignantFound:
    images = int(mine.sum())
    number = undefined(f"{images} malignant images: too few")
    if images >= FEW_IMAGES:
        number = rates.rate(malignancy.said[mine], sample.lesions[mine], "")
    return {"images": images, **number.to_json()}
