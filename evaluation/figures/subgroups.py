"""Sensitivity in subgroups: intervals under each other, with how many images stand behind them."""

from collections.abc import Mapping
from typing import Any

from evaluation.figures.numbers import bounds, spoken, value
from evaluation.figures.page import ACCENT, GREY, LINE, MARGIN, SOFT, Page, shorten, text_width, widest, wrap

TITLE = "Sensitivity in subgroups"
ROW = 4.4
"""Height of a row in mm."""


def draw(page: Page, data: Any, names: Mapping[str, str]) -> None:
    """Draw a row a subgroup below the name of its attribute; those without a value say why in words."""
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for row in data:
        groups.setdefault(str(row["attribute"]), []).append(row)
    label_room = 24.0 if page.columns == 1 else 48.0
    label_room = min(label_room, 2 + widest([str(row["value"]) for row in data]))
    label_room = max(label_room, min(widest(list(groups), bold=True), 30))
    heads = [("Images", "images"), ("Lesions", "lesions")]
    columns = [(page.right - (text_width("Lesions") + 2.5) * place, *heads[1 - place]) for place in (0, 1)]
    left = MARGIN + label_room + 2
    right = columns[1][0] - text_width("Images") - 3
    told = page.columns == 2
    if told:
        right -= text_width("0.000 (0.00–0.00)") + 3
    top = MARGIN + LINE + 1

    for edge, head, _ in columns:
        page.write(edge, MARGIN, head, ha="right", color=GREY)
    marks: list[tuple[float, Mapping[str, Any]]] = []
    y = top
    for attribute, rows in groups.items():
        page.write(MARGIN, y, shorten(_sentence(attribute), left, bold=True), weight="bold")
        y += ROW
        for row in rows:
            y = _row(page, row, y, left, right, columns, marks, told=told)
        y += 1.2
    panel = page.panel(left, top, right - left, y - top)
    panel.set(xlim=(-0.02, 1.02), ylim=(y, top), yticks=[], xlabel="Sensitivity")
    panel.spines["left"].set_visible(False)
    panel.set_axisbelow(True)
    panel.grid(axis="x", color=SOFT, linewidth=0.4)
    for middle, row in marks:
        at = value(row["sensitivity"])
        interval = bounds(row["sensitivity"])
        if interval:
            panel.hlines(middle, *interval, color=ACCENT, linewidth=0.9)
        if at is not None:
            panel.plot(at, middle, "o", color=ACCENT, markersize=3)
    page.bottom += 9


def _row(
    page: Page,
    row: Mapping[str, Any],
    y: float,
    left: float,
    right: float,
    columns: list[tuple[float, str, str]],
    marks: list[tuple[float, Mapping[str, Any]]],
    *,
    told: bool,
) -> float:
    """Write one row from `y` mm on and return where it ends; a row with a value is added to `marks`."""
    label = wrap(str(row["value"]), left - MARGIN - 4)
    for number, line in enumerate(label):
        page.write(MARGIN + 2, y + number * LINE, line)
    for edge, _, name in columns:
        count = row.get(name)
        page.write(edge, y, "–" if count is None else f"{count:,}", ha="right")
    if value(row.get("sensitivity")) is not None:
        marks.append((y + 1.25, row))
        if told:
            page.write(columns[1][0] - text_width("Images") - 3, y, spoken(row["sensitivity"]), ha="right")
        return y + ROW + (len(label) - 1) * LINE
    lines = wrap(row.get("note") or "undefined", right - left - 1)
    for number, line in enumerate(lines):
        page.write(left + 1, y + number * LINE, line, color=GREY)
    return y + ROW + (max(len(label), len(lines)) - 1) * LINE


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
