"""Models side by side: each a point with its interval, one panel a metric."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from evaluation.figures.numbers import bounds, value
from evaluation.figures.sheet import ACCENT, GREY, LINE, SOFT, Sheet, text_width, wrap

TITLE = "Models compared"
NARROWEST = 20.0
"""A panel has at least this width in mm; what does not fit continues below."""


def draw(sheet: Sheet, data: Any) -> None:
    """Draw the panels in as many rows as the sheet needs; all panels of a row share the models at the left."""
    metrics, models = data["metrics"], data["models"]
    if not metrics or not models:
        return sheet.undefined()
    labels = [wrap(model["name"], 27 if sheet.columns == 1 else 48) for model in models]
    room = sheet.width - max(text_width(line) for lines in labels for line in lines)
    across = max(1, int(room // NARROWEST))
    rows = -(-len(metrics) // across)
    across = -(-len(metrics) // rows)
    titles = [wrap(metric["name"], room / across - 4) for metric in metrics]
    step = max(map(len, labels)) * LINE + 2.5
    height = step * len(models) + max(map(len, titles)) * LINE + 7
    panels = sheet.panels(rows * height, rows, across, sharey=True)
    for place, panel in enumerate(panels):
        panel.set_visible(place < len(metrics))
    for panel, metric, title in zip(panels, metrics, titles, strict=False):
        panel.set_title("\n".join(title), loc="left")
        _metric(panel, [model["values"].get(metric["key"]) or {} for model in models])
    panels[0].set_yticks(range(len(models)), ["\n".join(lines) for lines in labels])
    panels[0].set_ylim(len(models) - 0.5, -0.5)
    return None


def _metric(panel: Axes, numbers: Sequence[Mapping[str, float | None]]) -> None:
    """Draw the values of one metric, the first model at the top."""
    panel.spines["left"].set_visible(False)
    panel.tick_params("y", length=0)
    panel.xaxis.set_major_locator(MaxNLocator(2, min_n_ticks=2))
    panel.margins(x=0.15)
    for place, number in enumerate(numbers):
        if place % 2 == 0:
            panel.axhspan(place - 0.5, place + 0.5, color=SOFT, linewidth=0)
        at, interval = value(number), bounds(number)
        if at is None:
            where = panel.get_yaxis_transform()
            panel.text(0.5, place, "undefined", transform=where, ha="center", va="center", color=GREY)
        else:
            panel.plot(interval or (at, at), (place, place), color=ACCENT, linewidth=0.9)
            panel.plot(at, place, "o", color=ACCENT, markersize=3.5)
    if not panel.lines:
        panel.set_xticks([])
