"""Numbers that may be missing: as arrays to draw and as words to read."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Number = Mapping[str, float | None]
"""A value with its interval: {"value", "low", "high"}, each None where undefined."""

Series = Sequence[float | None] | None


def floats(values: Series) -> NDArray[np.float64]:
    """Return an array of any shape, NaN for None; empty for a missing series."""
    return np.array([] if values is None else values, dtype=np.float64)


def value(number: Number | None) -> float | None:
    """Return the value itself, None where it is undefined."""
    return (number or {}).get("value")


def bounds(number: Number) -> tuple[float, float] | None:
    """Return the interval, or None where there is none."""
    low, high = number.get("low"), number.get("high")
    return None if low is None or high is None else (low, high)


def spoken(number: Number | None) -> str:
    """Return "0.912 (0.88–0.94)", without the interval where there is none, or "undefined"."""
    at = value(number)
    if number is None or at is None:
        return "undefined"
    interval = bounds(number)
    return f"{at:.3f}" if interval is None else f"{at:.3f} ({interval[0]:.2f}–{interval[1]:.2f})".replace("-", "−")
