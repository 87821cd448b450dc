"""A number of a sheet: its value, its 95 % interval, and the reason where there is none."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from evaluation.documents.shapes import StoredNumber

LEVELS = (0.025, 0.975)
FEW_LESIONS = 5


@dataclass(frozen=True)
class Number:
    """`value`, `low` and `high` are None where undefined; `note` says why, or what to keep in mind."""

    value: float | None = None
    low: float | None = None
    high: float | None = None
    note: str = ""

    @classmethod
    def of(cls, stored: "Number | StoredNumber | None") -> "Number":
        """Return what to_json gave, in whatever mapping it stands; None is an undefined number."""
        if stored is None or isinstance(stored, Number):
            return stored or cls()
        return cls(stored["value"], stored["low"], stored["high"], stored.get("note", ""))

    def to_json(self) -> StoredNumber:
        found: StoredNumber = {"value": self.value, "low": self.low, "high": self.high}
        return {**found, "note": self.note} if self.note else found


def undefined(reason: str) -> Number:
    return Number(note=reason)


def between(value: float, drawn: Any, note: str = "") -> Number:
    """Return a number with the percentile interval of replicates (B,); those that are not defined are left out."""
    if not np.isfinite(value):
        return undefined(note or "not defined for these answers")
    kept = np.asarray(drawn)[np.isfinite(drawn)]
    if len(kept) < 0.5 * np.size(drawn) or not len(kept):
        return Number(float(value), note=note or "too few replicates are defined for an interval")
    low, high = np.quantile(kept, LEVELS)
    return Number(float(value), min(float(low), float(value)), max(float(high), float(value)), note)
