"""Models side by side: each a point with its interval, one panel a metric."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from evaluation.figures.numbers import bounds, value
from evaluation.figures.page import ACCENT, GREY, LINE, MARGIN, SOFT, Page, widest, wrap

TITLE = "Models compared"
NARROWEST = 20.0
"""A panel has at least this width in mm; what does not fit continues below."""


def draw(page: Page, data: Any, names: Mapping[str, str]) -> None:
    """Draw the panels in as many rows as the page needs; all panels of a row share the models at the left."""
    metrics, models = data["metrics"], data["models"]
    if not metrics or not models:
        return page.undefined()
    limit = 27.0 if page.columns == 1 else 48.0
    labels = [wrap(model["name"], limit) for model in models]
    left = MARGIN + widest([line for lines in labels for line in lines]) + 2.5
    across = max(1, int((page.right - left) // NARROWEST))
    rows = -(-len(metrics) // across)
    across = -(-len(metrics) // rows)
    for start in range(0, len(metrics), across):
        _row(page, metrics[start : start + across], models, labels, left, (page.right - left) / across)
    return None


def _row(
    page: Page,
    metrics: Sequence[Mapping[str, str]],
    models: Sequence[Mapping[str, Any]],
    labels: Sequence[Sequence[str]],
    left: float,
    width: float,
) -> None:
    """Draw one row of panels, each `width` mm with its gap, below everything so far."""
    titles = [wrap(metric["name"], width - 3) for metric in metrics]
    head, step = max(map(len, titles)) * LINE, max(map(len, labels)) * LINE + 2
    top = page.bottom + head + 1
    for place, (metric, title) in enumerate(zip(metrics, titles, strict=True)):
        x = left + place * width
        for number, line in enumerate(title):
            page.write(x, top - 1 - (len(title) - number) * LINE, line)
        panel = page.panel(x, top, width - 3, step * len(models))
        _metric(panel, [model["values"].get(metric["key"]) or {} for model in models], width - 3)
    for place, lines in enumerate(labels):
        middle = top + (place + 0.5) * step
        for number, line in enumerate(lines):
            page.write(left - 2.5, middle + (number - (len(lines) - 1) / 2) * LINE - 1.3, line, ha="right")
    page.bottom = top + step * len(models) + 7


def _metric(panel: Axes, numbers: Sequence[Mapping[str, float | None]], width: float) -> None:
    """Draw the values of one metric on `width` mm, the first model at the top."""
    panel.set(ylim=(len(numbers) - 0.5, -0.5), yticks=[])
    panel.spines["left"].set_visible(False)
    for place in range(0, len(numbers), 2):
        panel.axhspan(place - 0.5, place + 0.5, color=SOFT, linewidth=0)
    defined = [number for number in numbers if value(number) is not None]
    low, high = _range(defined)
    panel.set(xlim=(low, high), xticks=_ticks(low, high, width) if defined else [])
    for place, number in enumerate(numbers):
        at = value(number)
        if at is None:
            panel.text(0.5, place, "undefined", transform=panel.get_yaxis_transform(), **_QUIET)
            continue
        interval = bounds(number)
        if interval:
            panel.hlines(place, *interval, color=ACCENT, linewidth=0.9)
        panel.plot(at, place, "o", color=ACCENT, markersize=3.5)


_QUIET: dict[str, Any] = {"ha": "center", "va": "center", "color": GREY}


def _range(numbers: Sequence[Mapping[str, float | None]]) -> tuple[float, float]:
    """Return limits a little outside of every point and interval, 0 to 1 for none."""
    marks = [mark for number in numbers for mark in number.values() if mark is not None]
    if not marks:
        return 0, 1
    low, high = min(marks), max(marks)
    room = max((high - low) * 0.12, 0.01)
    return low - room, high + room


def _ticks(low: float, high: float, width: float) -> list[float]:
    """Return round values so far from the ends and each other that their labels fit on `width` mm."""
    label = 7.5
    edge = label / 2 / width * (high - low)
    ticks: list[float] = []
    for steps in (2, 3, 4, 5):
        inside = [float(at) for at in MaxNLocator(steps).tick_values(low, high) if low + edge <= at <= high - edge]
        if len(inside) >= len(ticks) and all(
            (after - before) / (high - low) * width >= label for before, after in pairwise(inside)
        ):
            ticks = inside
    return ticks
