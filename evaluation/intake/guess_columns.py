"""What the columns of a label table probably are."""

import re
from collections.abc import Sequence

from evaluation.intake.table import COLUMNS, OF_CLASSES, Column, Columns, Table, column, marked
from evaluation.intake.vocabulary import understand

LEVELS = tuple(f"diagnosis_{level}" for level in range(5, 0, -1))
"""The archive's columns, most exact first."""
MOSTLY = 0.9


def guess(table: Table) -> Columns:
    """Return the likely column of each kind; "classes" lists the columns of a one-hot table."""
    lower = {name.lower().strip(): name for name in reversed(table.header)}
    found = {kind: next((lower[name] for name in names if name in lower), "") for kind, names in COLUMNS.items()}
    several: dict[str, list[str]] = {}
    found["image"] = found["image"] or _like_pictures(table)
    levels = [lower[name] for name in LEVELS if name in lower]
    classes = _class_columns(table)
    if classes and not found["label"]:
        several[OF_CLASSES] = classes
    elif levels and (not found["label"] or lower.get("diagnosis") != found["label"]):
        found["label"], several["levels"] = "", levels
    if not (found["label"] or several):
        found["label"] = _like_labels(table, found["image"])
    return {**found, **several}


def described(table: Table) -> list[Column]:
    return [
        Column(name, list(dict.fromkeys(row[place][:80] for row in table.rows if row[place]))[:5])
        for place, name in enumerate(table.header)
    ]


def _like_pictures(table: Table) -> str:
    pattern = re.compile(r"(?i)(.+\.(jpe?g|png|tiff?|webp|bmp)|isic_\d{7}.*)")
    for name in table.header:
        values = [value for value in column(table, name)[:50] if value]
        if values and sum(bool(pattern.fullmatch(value)) for value in values) > 0.8 * len(values):
            return name
    return ""


def _like_labels(table: Table, image: str) -> str:
    for name in table.header:
        values = {value for value in column(table, name)[:2000] if value} if name != image else set()
        if values and sum(understand(value) is not None for value in values) > 0.5 * len(values):
            return name
    return ""


def _class_columns(table: Table) -> list[str]:
    """The columns whose names are classes and whose cells are mostly 0 or 1, as in the challenges' truths."""
    candidates = [name for name in table.header if understand(name) or name.lower() in ("unk", "other")]
    ones = [name for name in candidates if _mostly_one_hot(column(table, name)[:200])]
    return ones if len(ones) >= 2 else []


def _mostly_one_hot(values: Sequence[str]) -> bool:
    return sum(marked(value) is not None for value in values) >= MOSTLY * len(values)
