"""Curves over all thresholds, one class against the rest: ROC and precision-recall."""

from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes

from evaluation.figures.classes import DISTINCT, colour, label, stroke
from evaluation.figures.numbers import Number, bounds, floats, spoken, value
from evaluation.figures.page import GREY, HAIR, Entry, Page

ROC_TITLE = "ROC curves, each class against the rest"
PRECISION_RECALL_TITLE = "Precision-recall curves, each class against the rest"
CHANCE = Entry("Chance", {"color": HAIR, "linewidth": 0.5})
PREVALENCE = Entry("Prevalence", {"color": GREY, "linewidth": 0.5, "linestyle": (0, (1, 2))})


def roc(page: Page, data: Any, names: Mapping[str, str]) -> None:
    """Draw sensitivity over 1 − specificity, the area under each curve in the key."""
    _draw(page, data, x="1 − specificity", y="Sensitivity", by_chance=CHANCE)
    page.abbreviations(list(data), names)


def precision_recall(page: Page, data: Any, names: Mapping[str, str]) -> None:
    """Draw precision over sensitivity, the average precision in the key, the share of the class as a dotted line."""
    _draw(page, data, x="Recall (sensitivity)", y="Precision", by_chance=PREVALENCE)
    page.abbreviations(list(data), names)


def _draw(page: Page, data: Mapping[str, Any], *, x: str, y: str, by_chance: Entry) -> None:
    """Draw all curves in one panel, or each in its own where they could not be told apart."""
    if len(data) > DISTINCT:
        kind = "straight" if by_chance is CHANCE else "dotted"
        page.paragraph(f"{by_chance.label}: the {kind} line. Below each code: the interval.")
        page.bottom += 1.5
        across = 3 if page.columns == 1 else 6
        titles = [_title(code, (curve or {}).get("area")) for code, curve in data.items()]
        panels = page.grid(titles, across, height=17, x=x, y=y)
        for panel, (code, curve) in zip(panels, data.items(), strict=True):
            _axes(panel, diagonal=by_chance is CHANCE)
            panel.set(xticks=[0, 1], yticks=[0, 1])
            if not _curve(panel, code, 0, curve):
                panel.text(0.66, 0.14, "undefined", ha="center", va="center", color=GREY)
        return
    panel = page.main()
    panel.set(xlabel=x, ylabel=y)
    _axes(panel, diagonal=by_chance is CHANCE)
    entries = []
    for place, (code, curve) in enumerate(data.items()):
        drawn = _curve(panel, code, place, curve)
        words = f"{label(code)} {spoken((curve or {}).get('area'))}"
        entries.append(Entry(words, stroke(code, place) if drawn else None))
    if all(entry.stroke is None for entry in entries):
        panel.text(0.7, 0.3, "undefined", ha="center", va="center", color=GREY)
    page.main_key([*entries, by_chance])


def _title(code: str, area: Number | None) -> list[str]:
    """Return "MEL 0.912" and "0.88–0.94", two lines for a small panel."""
    at, interval = value(area), bounds(area or {})
    head = label(code) if at is None else f"{label(code, 12.6)} {at:.3f}"
    return [head, "" if at is None or interval is None else f"{interval[0]:.2f}–{interval[1]:.2f}"]


def _axes(panel: Axes, *, diagonal: bool) -> None:
    panel.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
    if diagonal:
        panel.plot([0, 1], [0, 1], color=HAIR, linewidth=0.5)


def _curve(panel: Axes, code: str, place: int, curve: Mapping[str, Any] | None) -> bool:
    """Draw one curve with its band and prevalence; return whether there was one."""
    curve = curve or {}
    x, y = floats(curve.get("x")), floats(curve.get("y"))
    if not len(x) or not len(y):
        return False
    low, high = floats(curve.get("low")), floats(curve.get("high"))
    if len(low) and len(high):
        panel.fill_between(x, low, high, color=colour(code), alpha=0.1, linewidth=0)
    if curve.get("prevalence") is not None:
        panel.axhline(curve["prevalence"], color=colour(code), linewidth=0.5, linestyle=(0, (1, 2)))
    panel.plot(x, y, **stroke(code, place))
    return True
