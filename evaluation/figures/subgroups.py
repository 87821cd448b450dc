"""Sensitivity in subgroups: intervals under each other, with how many images stand behind them."""

from itertools import groupby
from typing import Any

from matplotlib.axes import Axes

from evaluation.figures.numbers import bounds, spoken, value
from evaluation.figures.sheet import ACCENT, GREY, INK, LINE, MM, SOFT, Sheet, text_width, wrap

TITLE = "Sensitivity in subgroups"
STEP = 1.3
"""From one row to the next, in lines of type."""


def draw(sheet: Sheet, data: Any) -> None:
    """Draw a row a subgroup below the name of its attribute; those without a value say why in words."""
    below, heads, names, notes = 0.0, {}, {}, {}
    for attribute, rows in groupby(data, key=lambda row: str(row["attribute"])):
        heads[below] = attribute[:1].upper() + attribute[1:]
        below += STEP
        for row in rows:
            name = wrap(str(row["value"]), 23 if sheet.columns == 1 else 48)
            known = value(row.get("sensitivity")) is not None
            note = [] if known else wrap(row.get("note") or "undefined", 27 if sheet.columns == 1 else 50)
            lines = max(len(name), len(note))
            middle = below + (lines - 1) / 2
            names[middle], notes[middle] = "\n".join(name), ("\n".join(note), row)
            below += lines - 1 + STEP
        below += 0.3
    panel = sheet.panels((below + STEP) * LINE + 10)[0]
    panel.set(xlim=(-0.02, 1.02), ylim=(below, -STEP - 0.5), yticks=[], xlabel="Sensitivity", xticks=[0, 0.5, 1])
    panel.spines["left"].set_visible(False)
    panel.set_axisbelow(True)
    panel.grid(axis="x", color=SOFT, linewidth=0.4)
    left = -2 - 1.15 * max(text_width(line) for text in [*names.values(), *heads.values()] for line in text.split("\n"))
    for places, indent, weight in ((heads, 0, "bold"), (names, 2, "normal")):
        for middle, text in places.items():
            _beside(panel, left + indent, middle, text, weight=weight)
    _columns(sheet, panel, -STEP, ("Images", "Lesions", "Interval"), GREY)
    for middle, (words, row) in notes.items():
        _interval(panel, middle, row.get("sensitivity") or {})
        panel.text(0, middle, words, color=GREY, va="center")
        counts = ("–" if row.get(name) is None else f"{row[name]:,}" for name in ("images", "lesions"))
        _columns(sheet, panel, middle, (*counts, "" if words else spoken(row["sensitivity"])), INK)


def _interval(panel: Axes, middle: float, number: Any) -> None:
    if interval := bounds(number):
        panel.hlines(middle, *interval, color=ACCENT, linewidth=0.9)
    if (at := value(number)) is not None:
        panel.plot(at, middle, "o", color=ACCENT, markersize=3)


def _columns(sheet: Sheet, panel: Axes, middle: float, texts: tuple[str, ...], colour: str) -> None:
    """Write numbers beside the panel; there is room for the interval in two columns only."""
    for edge, text in zip((14, 28, 56)[: sheet.columns + 1], texts, strict=False):
        _beside(panel, edge, middle, text, ha="right", color=colour)


def _beside(panel: Axes, x: float, y: float, text: str, **look: Any) -> None:
    """Write `x` mm to the right of a panel, or to its left where that is negative."""
    where: Any = panel.get_yaxis_transform()
    shift = (x * MM * 72, 0)
    panel.annotate(text, (float(x > 0), y), shift, where, "offset points", va="center", annotation_clip=False, **look)
