"""The confusion matrix: what each class was taken for."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.colors import LinearSegmentedColormap

from evaluation.figures.classes import label, luminance
from evaluation.figures.numbers import floats
from evaluation.figures.page import GREY, INK, LINE, MARGIN, Page, text_width, widest

TITLE = "Confusion matrix"
SUM = "Sum"

# Steps of equal lightness in OKLab at one hue, the accent's.
SHADES = LinearSegmentedColormap.from_list(
    "share", ["#f7fbfc", "#d1e6eb", "#acd0da", "#89bbc7", "#68a5b4", "#4a8f9f", "#307888", "#1a6271", "#004d5b"]
)


def draw(page: Page, data: Any, names: Mapping[str, str]) -> None:
    """Draw counts (k, k), rows for the reference, shaded by their share of the row."""
    codes = data["classes"]
    counts = floats(data["counts"])
    sums = np.nansum(counts, axis=1)
    shares = np.divide(np.nan_to_num(counts), sums[:, None], out=np.zeros_like(counts), where=sums[:, None] > 0)
    labels = [label(code) for code in codes]
    written = [[_count(number) for number in row] for row in counts]
    totals = [f"{total:,.0f}" for total in sums]

    left = MARGIN + LINE + 1 + widest(labels) + 1.5
    room = page.right - left - max(widest(totals), text_width(SUM)) - 2.5
    width = min(room / len(codes), 24)
    longest = widest([text for row in written for text in row])
    upright = longest + 0.8 <= width
    height = min(max(width, 5), 9) if upright else max(width, longest + 1.2)
    turned = widest(labels) + 1 > width
    top = MARGIN + LINE + (widest(labels) if turned else LINE) + 1.5

    matrix = page.panel(left, top, width * len(codes), height * len(codes))
    matrix.pcolormesh(shares, cmap=SHADES, vmin=0, vmax=1, edgecolors="white", linewidth=0.6)
    matrix.invert_yaxis()
    matrix.set_axis_off()
    if not upright:
        written = [["" if text == "0" else text for text in row] for row in written]
    for row, texts in enumerate(written):
        for column, text in enumerate(texts):
            matrix.text(
                column + 0.5,
                row + 0.5,
                text,
                ha="center",
                va="center_baseline" if upright else "center",
                rotation=0 if upright else 90,
                color=ink_on(shares[row, column], quiet=text == "0"),
            )
    end = left + width * len(codes)
    page.write((left + end) / 2, MARGIN, "Predicted", ha="center", color=GREY)
    middle = top + height * len(codes) / 2
    page.write(MARGIN + LINE / 2, middle, "Reference", rotation=90, ha="center", va="center", color=GREY)
    sums_at = end + 1.5 + max(widest(totals), text_width(SUM))
    page.write(sums_at, top - 1, SUM, ha="right", va="bottom", color=GREY)
    for place, name in enumerate(labels):
        middle = top + (place + 0.5) * height
        page.write(left - 1.5, middle, name, ha="right", va="center_baseline")
        page.write(sums_at, middle, totals[place], ha="right", va="center_baseline")
        across = left + (place + 0.5) * width
        page.write(across, top - 1, name, ha="center", va="bottom", rotation=90 if turned else 0)
    page.bottom = top + height * len(codes)
    _scale(page, left, "100 %" if upright else "100 %; empty: 0")
    page.abbreviations(codes, names)


def _count(number: float) -> str:
    return "–" if np.isnan(number) else f"{number:.0f}"


def ink_on(share: float, *, quiet: bool = False) -> str:
    """Return white on what is dark and ink on what is light, grey for an empty cell of a light colour."""
    ground = luminance(SHADES(share)[:3])
    if 1.05 / (ground + 0.05) > (ground + 0.05) / (luminance(INK) + 0.05):
        return "white"
    return GREY if quiet else INK


def _scale(page: Page, left: float, end: str) -> None:
    """Explain the shades below the matrix."""
    words, top = "Share of the row: 0 %", page.bottom + 2.5
    left = min(left, page.right - text_width(words) - 21 - text_width(end))
    start = left + text_width(words) + 1.5
    page.write(left, top, words, color=GREY)
    strip = page.panel(start, top + 0.2, 18, 2.2)
    strip.pcolormesh(np.linspace(0, 1, 24)[None], cmap=SHADES, edgecolors="face", linewidth=0.2)
    strip.set_axis_off()
    page.write(start + 19.5, top, end, color=GREY)
