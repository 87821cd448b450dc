"""Curves over all thresholds, one class against the rest: ROC and precision-recall."""

from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes

from evaluation.figures.classes import DISTINCT, colour, label, stroke
from evaluation.figures.numbers import floats, spoken
from evaluation.figures.sheet import GREY, HAIR, Sheet

ROC_TITLE = "ROC curves, each class against the rest"
PRECISION_RECALL_TITLE = "Precision-recall curves, each class against the rest"
CHANCE: dict[str, Any] = {"color": HAIR, "linewidth": 0.5}
PREVALENCE: dict[str, Any] = {"color": GREY, "linewidth": 0.5, "linestyle": (0, (1, 2))}


def roc(sheet: Sheet, data: Any) -> None:
    """Draw sensitivity over 1 − specificity, the area under each curve in the key."""
    for panel in _draw(sheet, data, "1 − specificity", "Sensitivity", ("Chance", CHANCE)):
        panel.plot([0, 1], [0, 1], **CHANCE)


def precision_recall(sheet: Sheet, data: Any) -> None:
    """Draw precision over sensitivity, the average precision in the key, the share of the class as a dotted line."""
    _draw(sheet, data, "Recall (sensitivity)", "Precision", ("Prevalence", PREVALENCE))


def _draw(sheet: Sheet, data: Mapping[str, Any], x: str, y: str, by_chance: tuple[str, Any]) -> list[Axes]:
    """Draw all curves in one panel, or each in its own where they could not be told apart; return the panels."""
    areas = [spoken((curve or {}).get("area")) for curve in data.values()]
    if len(data) > DISTINCT:
        titles = [f"{label(code)} {area}".replace(" (", "\n(") for code, area in zip(data, areas, strict=True)]
        panels = sheet.grid(titles, 3 if sheet.columns == 1 else 6, 27, x, y)
        sheet.caption.append(f"{by_chance[0]}: the {'straight' if by_chance[1] is CHANCE else 'dotted'} line.")
        for panel, (code, curve) in zip(panels, data.items(), strict=True):
            panel.set(xticks=[0, 1], yticks=[0, 1])
            _curve(panel, code, 0, curve)
    else:
        panels = sheet.panels(70 if sheet.columns == 1 else 82)
        panels[0].set(xlabel=x, ylabel=y)
        drawn = [_curve(panels[0], code, place, curve) for place, (code, curve) in enumerate(data.items())]
        entries = [(f"{label(code)} {area}", look) for code, area, look in zip(data, areas, drawn, strict=True)]
        sheet.key([*entries, by_chance])
    for panel in panels:
        panel.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
        if not panel.lines:
            panel.text(0.66, 0.2, "undefined", ha="center", va="center", color=GREY)
    return panels


def _curve(panel: Axes, code: str, place: int, curve: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Draw one curve with its band and prevalence; return how it looks, None where there is none."""
    curve = curve or {}
    x, y = floats(curve.get("x")), floats(curve.get("y"))
    if not len(x) or not len(y):
        return None
    low, high = floats(curve.get("low")), floats(curve.get("high"))
    if len(low) and len(high):
        panel.fill_between(x, low, high, color=colour(code), alpha=0.1, linewidth=0)
    if curve.get("prevalence") is not None:
        panel.axhline(curve["prevalence"], **PREVALENCE | {"color": colour(code)})
    panel.plot(x, y, **(look := stroke(code, place)))
    return look
