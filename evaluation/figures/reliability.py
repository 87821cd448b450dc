"""The reliability diagram: how often the model is right when it says how sure it is."""

from collections.abc import Mapping
from typing import Any

from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator

from evaluation.figures.numbers import floats, spoken
from evaluation.figures.page import ACCENT, GREY, HAIR, Entry, Page

TITLE = "Reliability diagram"
SPREAD = 50
"""Counts whose ratio is above this are drawn on a logarithmic scale."""


def draw(page: Page, data: Any, names: Mapping[str, str]) -> None:
    """Draw accuracy over confidence for each bin, and below it how many images the bin holds."""
    bins = [one for one in data.get("bins") or [] if one.get("images")]
    points = [one for one in bins if one.get("confidence") is not None and one.get("accuracy") is not None]
    panel = page.main()
    panel.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), ylabel="Accuracy")
    panel.tick_params(labelbottom=False)
    panel.plot([0, 1], [0, 1], color=HAIR, linewidth=0.5)
    x, y = (floats([one[name] for one in points]) for name in ("confidence", "accuracy"))
    low, high = (floats([one.get(name) for one in points]) for name in ("accuracy_low", "accuracy_high"))
    panel.vlines(x, low, high, color=ACCENT, linewidth=0.7)
    panel.plot(x, y, color=ACCENT, marker="o", markersize=3, linewidth=0.5)
    if not points:
        panel.text(0.7, 0.3, "undefined", ha="center", va="center", color=GREY)
    _counts(page, bins)
    words = f"Expected calibration error {spoken(data.get('ece'))}"
    look = {"color": ACCENT, "marker": "o", "markersize": 3, "linewidth": 0.5, "markevery": [0]}
    page.main_key(
        [
            Entry("Images of one bin, with interval", look),
            Entry("Perfect calibration", {"color": HAIR, "linewidth": 0.5}),
            Entry(words, {"linestyle": "none"}),
        ]
    )


def _counts(page: Page, bins: list[Mapping[str, Any]]) -> None:
    """Draw the number of images of each bin below the large panel."""
    panel = page.full(page.bottom + 3.5, 15)
    panel.set(xlim=(-0.01, 1.01), xlabel="Confidence of the first answer", ylabel="Images")
    images = [one["images"] for one in bins]
    panel.bar(
        [one["low"] for one in bins],
        images,
        [one["high"] - one["low"] for one in bins],
        align="edge",
        color="#c9d8d9",
        edgecolor="white",
        linewidth=0.5,
    )
    if not images:
        panel.set_yticks([])
        return
    if max(images) / min(images) > SPREAD:
        panel.set_yscale("log")
        panel.set_ylim(bottom=0.7)
        panel.set_ylabel("Images, log")
        panel.yaxis.set_minor_locator(NullLocator())
    else:
        panel.yaxis.set_major_locator(MaxNLocator(2, integer=True))
    panel.yaxis.set_major_formatter(FuncFormatter(lambda count, _: f"{count:,.0f}"))
