"""Masks of lesions beside the pictures of a data set: found by name, decoded in the same isolation, kept as 1 bit."""

import io
import re
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from PIL import Image

from evaluation.intake.table import Refused, stem
from evaluation.models import DataSet, LabelledImage
from evaluation.services.data_sets import decoding

FOLDERS = frozenset({"mask", "masks", "segmentation", "segmentations"})
ENDING = re.compile(r"(?i)[_-](mask|segmentation)$")
MARKED = 128
"""A grey value above it is lesion, as in the ISIC challenges' own scoring."""
SAME_SHAPE = 0.02
CHUNK = 96
Members = Sequence[tuple[str, int]]


def apart(members: Members) -> tuple[list[tuple[str, int]], dict[str, str]]:
    """Return the pictures without their masks, and the masks' members by the stem of their picture.

    A mask lies in a folder named masks or segmentations, or its name ends with _mask or _segmentation.
    """
    found: list[tuple[str, int]] = []
    masks: list[tuple[str, int]] = []
    for name, size in members:
        folders = {part.lower() for part in Path(name).parts[:-1]}
        if ENDING.search(stem(name)) or folders & FOLDERS:
            masks.append((name, size))
        else:
            found.append((name, size))
    return (found, by_stem(masks)) if found else (list(members), {})


def by_stem(members: Members) -> dict[str, str]:
    """Return the members by the stem of the picture that they belong to."""
    return {ENDING.sub("", stem(name)): name for name, _ in members}


def import_masks(data_set: DataSet, source: decoding.Source, masks: Mapping[str, str]) -> tuple[list[Refused], int]:
    """Store the masks of the set's pictures that have none yet; return those refused, and how many were resized."""
    rows = list(data_set.images.filter(mask="").only("file_name", "width", "height", "data_set"))
    by_member = {masks[key]: row for row in rows if (key := stem(row.file_name)) in masks}
    known = {stem(name) for name in data_set.images.values_list("file_name", flat=True)}
    refused = [
        Refused(None, name, "no picture has this mask's name") for key, name in masks.items() if key not in known
    ]
    resized, names = 0, list(by_member)
    for start in range(0, len(names), CHUNK):
        chunk = names[start : start + CHUNK]
        for name, mask in zip(chunk, decoding.decode(source, chunk, keep=_as_mask), strict=True):
            row = by_member[name]
            reason = mask if isinstance(mask, str) else _unfit(mask, row)
            if reason:
                refused.append(Refused(None, name, reason))
                continue
            resized += mask.shape != (row.height, row.width)
            row.mask = default_storage.save(f"datasets/{uuid.uuid4().hex}.png", ContentFile(_png(mask, row)))
        LabelledImage.objects.bulk_update([row for name in chunk if (row := by_member[name]).mask], ["mask"])
    return refused, resized


def _as_mask(pixels: Any, _changes: list[str]) -> Any:
    return np.asarray(pixels.max(2) > MARKED)


def _unfit(mask: Any, row: LabelledImage) -> str:
    """Say why a mask does not fit its picture; empty if it does."""
    height, width = mask.shape
    if abs(width * row.height / (height * row.width) - 1) > SAME_SHAPE:
        return f"the mask is {width} × {height} px, its picture {row.width} × {row.height}"
    if not mask.any():
        return "the mask marks nothing"
    return ""


def _png(mask: Any, row: LabelledImage) -> bytes:
    image = Image.fromarray(mask.astype(np.uint8) * 255)
    if image.size != (row.width, row.height):
        image = image.resize((row.width, row.height), Image.Resampling.NEAREST)
    file = io.BytesIO()
    image.convert("1").save(file, "PNG")
    return file.getvalue()
