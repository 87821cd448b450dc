"""The decision curve: what acting on the model is worth against treating all or none (Vickers and Elkin 2006)."""

from typing import Any

import numpy as np

from evaluation.figures.numbers import floats
from evaluation.figures.sheet import ACCENT, GREY, INK, Look, Sheet

TITLE = "Decision curve"
LINES: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("net_benefit", "Treat by the model", {"color": ACCENT, "linewidth": 1.2}),
    ("all", "Treat all", {"color": GREY, "linestyle": (0, (4, 1.5))}),
)
NONE: dict[str, Any] = {"color": INK, "linewidth": 0.5}


def draw(sheet: Sheet, data: Any) -> None:
    """Draw net benefit over the threshold probability; the fall of "treat all" is cut below the zero line."""
    panel = sheet.panels(70 if sheet.columns == 1 else 82)[0]
    panel.set(xlabel="Threshold probability", ylabel="Net benefit")
    threshold = floats(data.get("threshold"))
    entries: list[tuple[str, Look]] = []
    top = 0.0
    for name, label, look in LINES:
        benefit = floats(data.get(name))
        if len(benefit) != len(threshold) or not np.isfinite(benefit).any():
            entries.append((f"{label}: undefined", None))
            continue
        panel.plot(threshold, benefit, **look)
        entries.append((label, look))
        top = max(top, float(np.nanmax(benefit)))
    if not panel.lines:
        panel.text(0.5, 0.5, "undefined", transform=panel.transAxes, ha="center", va="center", color=GREY)
    panel.axhline(0, **NONE)
    panel.set_ylim(-0.25 * (top or 0.1), 1.08 * (top or 0.1))
    sheet.key([*entries, ("Treat none", NONE)])
