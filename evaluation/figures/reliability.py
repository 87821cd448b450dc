"""The reliability diagram: how often the model is right when it says how sure it is."""

from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator

from evaluation.figures.numbers import floats, spoken
from evaluation.figures.sheet import ACCENT, GREY, HAIR, Sheet

TITLE = "Reliability diagram"
BIN: dict[str, Any] = {"color": ACCENT, "marker": "o", "markersize": 3, "linewidth": 0.5}
PERFECT: dict[str, Any] = {"color": HAIR, "linewidth": 0.5}
SPREAD = 50
"""Counts whose ratio is above this are drawn on a logarithmic scale."""


def draw(sheet: Sheet, data: Any) -> None:
    """Draw accuracy over confidence for each bin, and below it how many images the bin holds."""
    bins = [one for one in data.get("bins") or [] if one.get("images")]
    points = [one for one in bins if one.get("confidence") is not None and one.get("accuracy") is not None]
    height = 86 if sheet.columns == 1 else 98
    panel, below = sheet.panels(height, rows=2, sharex=True, height_ratios=[4, 1])
    panel.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), ylabel="Accuracy")
    panel.plot([0, 1], [0, 1], **PERFECT)
    x, y = (floats([one[name] for one in points]) for name in ("confidence", "accuracy"))
    low, high = (floats([one.get(name) for one in points]) for name in ("accuracy_low", "accuracy_high"))
    panel.vlines(x, low, high, color=ACCENT, linewidth=0.7)
    panel.plot(x, y, **BIN)
    if not points:
        panel.text(0.7, 0.3, "undefined", ha="center", va="center", color=GREY)
    _counts(below, bins)
    sheet.figure.align_ylabels()
    ece = f"Expected calibration error {spoken(data.get('ece'))}"
    sheet.key([("Images of one bin, with interval", BIN), ("Perfect calibration", PERFECT), (ece, {"linestyle": ""})])


def _counts(panel: Axes, bins: list[Mapping[str, Any]]) -> None:
    """Draw the number of images of each bin."""
    panel.set(xlabel="Confidence of the first answer", ylabel="Images")
    images = [one["images"] for one in bins]
    edges = [(one["low"], one["high"] - one["low"]) for one in bins]
    lefts, widths = zip(*edges, strict=True) if edges else ((), ())
    panel.bar(lefts, images, widths, align="edge", color="#c9d8d9", edgecolor="white", linewidth=0.5)
    if not images:
        panel.set_yticks([])
    elif max(images) / min(images) > SPREAD:
        panel.set(yscale="log", ylabel="Images, log")
        panel.set_ylim(bottom=0.7)
        panel.yaxis.set_minor_locator(NullLocator())
    else:
        panel.yaxis.set_major_locator(MaxNLocator(2, integer=True))
    panel.yaxis.set_major_formatter(FuncFormatter(lambda count, _: f"{count:,.0f}"))
