"""Numbers as the coordinates of inline charts: x to the right and y upwards, both 0 to 1, in a box of 100 by 100."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import template

register = template.Library()


@register.filter
def across(value: float) -> str:
    """Where a value of 0 to 1 lies from the left."""
    return f"{100 * min(max(value, 0), 1):.1f}"


@register.filter
def up(value: float) -> str:
    """Where a value of 0 to 1 lies from the top."""
    return across(1 - value)


@register.filter
def line(curve: Mapping[str, Any]) -> str:
    """The path through the points of a curve; undefined ones are left out."""
    return _path(curve["x"], curve["y"])


@register.filter
def band(curve: Mapping[str, Any]) -> str:
    """The closed path between the bounds of a curve."""
    there, back = _path(curve["x"], curve["high"]), _path(curve["x"][::-1], curve["low"][::-1])
    return f"{there}L{back[1:]}Z" if there and back else ""


@register.filter
def steps(counts: Sequence[int]) -> str:
    """The outline of bars of equal width, the highest as high as the box."""
    most = max([*counts, 1])
    ends = [across((place + 1) / len(counts)) for place in range(len(counts))]
    return "M0 100" + "".join(f"V{up(count / most)}H{end}" for count, end in zip(counts, ends, strict=True)) + "V100Z"


def _path(x: Sequence[float], y: Sequence[float | None]) -> str:
    points = [f"{across(a)} {up(b)}" for a, b in zip(x, y, strict=True) if b is not None]
    return "M" + "L".join(points) if points else ""
