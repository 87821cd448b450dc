"""The decision curve: what acting on the model is worth against treating all or none (Vickers and Elkin 2006)."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from evaluation.figures.numbers import floats
from evaluation.figures.page import ACCENT, GREY, INK, Entry, Page

TITLE = "Decision curve"


def draw(page: Page, data: Any, names: Mapping[str, str]) -> None:
    """Draw net benefit over the threshold probability; the fall of "treat all" is cut below the zero line."""
    panel = page.main()
    panel.set(xlabel="Threshold probability", ylabel="Net benefit")
    threshold = floats(data.get("threshold"))
    looks: dict[str, dict[str, Any]] = {
        "net_benefit": {"color": ACCENT, "linewidth": 1.2},
        "all": {"color": GREY, "linestyle": (0, (4, 1.5))},
    }
    entries, drawn = [], []
    for name, label in (("net_benefit", "Treat by the model"), ("all", "Treat all")):
        benefit = floats(data.get(name))
        if len(benefit) != len(threshold) or not np.isfinite(benefit).any():
            entries.append(Entry(f"{label}: undefined", None))
            continue
        panel.plot(threshold, benefit, **looks[name])
        entries.append(Entry(label, looks[name]))
        drawn.append(benefit)
    none: dict[str, Any] = {"color": INK, "linewidth": 0.5}
    panel.axhline(0, **none)
    top = max((float(np.nanmax(benefit)) for benefit in drawn), default=0.0)
    top = top if top > 0 else 0.1
    panel.set_ylim(-0.25 * top, 1.08 * top)
    if not drawn:
        panel.text(0.5, 0.5, "undefined", transform=panel.transAxes, ha="center", va="center", color=GREY)
    page.main_key([*entries, Entry("Treat none", none)])
