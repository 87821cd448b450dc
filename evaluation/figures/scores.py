"""How the probabilities of a class fall, for images that have it and for all others."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from evaluation.figures.classes import DISTINCT, fill, label
from evaluation.figures.numbers import floats
from evaluation.figures.sheet import GREY, Sheet

TITLE = "Distribution of the predicted probabilities"
SENTENCE = "Upwards: images of the class; downwards, pale: all others. Each density is scaled to its own peak."


def draw(sheet: Sheet, data: Any) -> None:
    """Draw one small panel a class: those of the class upwards, the others downwards, each on its own scale."""
    sheet.caption.append(SENTENCE)
    across = {1: 2, 2: 4} if len(data) <= DISTINCT else {1: 3, 2: 6}
    titles = [_title(code, groups or {}) for code, groups in data.items()]
    panels = sheet.grid(titles, across[sheet.columns], 28, "Predicted probability of the class", "Density")
    for place, (panel, (code, groups)) in enumerate(zip(panels, data.items(), strict=True)):
        panel.set(xlim=(0, 1), ylim=(-1.08, 1.08), xticks=[0, 0.5, 1], yticks=[], xticklabels=["0", "0.5", "1"])
        panel.spines["left"].set_visible(False)
        _mirror(panel, groups or {}, fill(code, place))
        panel.axhline(0, color=GREY, linewidth=0.4)


def _title(code: str, groups: Mapping[str, Any]) -> str:
    """Return the code and the sizes of both groups, two lines."""
    sizes = (np.nansum(floats(groups.get(side))) for side in ("positives", "negatives"))
    return f"{label(code)}\nn = " + " / ".join(f"{size:,.0f}" for size in sizes)


def _mirror(panel: Axes, groups: Mapping[str, Any], look: dict[str, Any]) -> None:
    """Draw both densities back to back."""
    edges = floats(groups.get("edges"))
    others = {"facecolor": "#dfe3e7", "edgecolor": GREY, "linewidth": 0.4}
    for side, sign, style in (("positives", 1, look), ("negatives", -1, others)):
        shape = _density(edges, floats(groups.get(side)))
        if shape is None:
            panel.text(0.5, sign * 0.5, "undefined", ha="center", va="center", color=GREY)
        else:
            panel.stairs(sign * shape, edges, fill=True, **style)


def _density(edges: NDArray[np.float64], counts: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Return counts (k,) by the width of their bins, scaled to a peak of 1; None without any image."""
    counts = np.nan_to_num(counts)
    if len(edges) != len(counts) + 1 or not counts.sum():
        return None
    density: NDArray[np.float64] = counts / np.diff(edges)
    density /= density.max()
    return density
