"""Numbers as the points of inline SVG charts: x to the right and y upwards, both 0 to 1, in a box of 100 by 100."""

from collections.abc import Sequence
from typing import Any


def line(x: Sequence[float], y: Sequence[float | None]) -> str:
    """Return the path through points in [0, 1]; undefined ones are left out."""
    points = [(a, b) for a, b in zip(x, y, strict=True) if b is not None]
    return "M" + "L".join(f"{100 * a:.1f} {100 - 100 * b:.1f}" for a, b in points) if points else ""


def band(x: Sequence[float], low: Sequence[float], high: Sequence[float]) -> str:
    """Return the closed path between two curves."""
    up, down = line(x, high), line(list(reversed(x)), list(reversed(low)))
    return f"{up}L{down[1:]}Z" if up and down else ""


def interval(number: dict[str, Any], low: float = 0.0, high: float = 1.0) -> dict[str, str] | None:
    """Return where a number and its interval lie on a scale, in per cent; None where it is undefined."""
    if number["value"] is None:
        return None

    def place(value: float) -> str:
        return f"{100 * (min(max(value, low), high) - low) / (high - low):.2f}"

    left, right = number["low"], number["high"]
    return {
        "at": place(number["value"]),
        "from": place(number["value"] if left is None else left),
        "to": place(number["value"] if right is None else right),
    }
