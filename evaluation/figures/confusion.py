"""The confusion matrix: what each class was taken for."""

from typing import Any

import numpy as np
from matplotlib.colors import LinearSegmentedColormap

from evaluation.figures.classes import label, luminance
from evaluation.figures.numbers import floats
from evaluation.figures.sheet import GREY, INK, Sheet, text_width

TITLE = "Confusion matrix"

# Steps of equal lightness in OKLab at one hue, the accent's.
SHADES = LinearSegmentedColormap.from_list(
    "share", ["#f7fbfc", "#d1e6eb", "#acd0da", "#89bbc7", "#68a5b4", "#4a8f9f", "#307888", "#1a6271", "#004d5b"]
)


def draw(sheet: Sheet, data: Any) -> None:
    """Draw counts (k, k), rows for the reference, shaded by their share of the row, and the sums of the rows."""
    counts = floats(data["counts"])
    sums = np.nansum(counts, axis=1, keepdims=True)
    shares = np.divide(np.nan_to_num(counts), sums, out=np.zeros_like(counts), where=sums > 0)
    labels, across = [label(code) for code in data["classes"]], len(counts) + 1
    name, number = (max(map(text_width, texts)) + 1 for texts in (labels, [_count(count) for count in counts.flat]))
    width = min((sheet.width - 5.5 - name) / across, 24)  # of a cell in mm
    upright, turned = number <= width, name > width + 0.7
    height = min(max(width, 5), 9) if upright else max(width, number)

    rest = sheet.width - 5.5 - name - width * across
    size = len(counts) * height + (name if turned else 4) + 15
    panel, blank = sheet.panels(size, across=2, width_ratios=[width * across, max(rest, 0.01)])
    blank.set_axis_off()
    ground = np.hstack([shares, np.full_like(sums, np.nan)])
    mesh = panel.pcolormesh(ground, cmap=SHADES, vmin=0, vmax=1, edgecolors="white", linewidth=0.6)
    panel.invert_yaxis()
    panel.set_ylabel("Reference", color=GREY)
    panel.set_title("Predicted", color=GREY, pad=5)
    panel.tick_params(length=0, labeltop=True, labelbottom=False)
    panel.spines[:].set_visible(False)
    panel.set_xticks(np.arange(across) + 0.5, [*labels, "Sum"], rotation=90 if turned else 0)
    panel.set_yticks(np.arange(len(counts)) + 0.5, labels)
    place: dict[str, Any] = {
        "ha": "center",
        "va": "center_baseline" if upright else "center",
        "rotation": 0 if upright else 90,
    }
    for row, total in enumerate(sums[:, 0]):
        for column, count in enumerate(counts[row]):
            text = _count(count)
            ink = ink_on(shares[row, column], quiet=text == "0")
            panel.text(column + 0.5, row + 0.5, text if upright or count else "", color=ink, **place)
        panel.text(across - 0.5, row + 0.5, f"{total:,.0f}", **place)
    scale = sheet.figure.colorbar(mesh, ax=panel, location="bottom", shrink=0.5, aspect=16, pad=0.02, ticks=[0, 1])
    scale.set_label("Share of the row" if upright else "Share of the row; empty: 0", color=GREY)
    scale.set_ticklabels(["0 %", "100 %"])
    scale.outline.set_visible(False)


def _count(number: float) -> str:
    return "–" if np.isnan(number) else f"{number:.0f}"


def ink_on(share: float, *, quiet: bool = False) -> str:
    """Return white on what is dark and ink on what is light, grey for an empty cell of a light colour."""
    ground = luminance(SHADES(share)[:3])
    if 1.05 / (ground + 0.05) > (ground + 0.05) / (luminance(INK) + 0.05):
        return "white"
    return GREY if quiet else INK
