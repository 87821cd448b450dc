"""The sheet of every figure: a journal's column, its type and hairlines, a key, a caption, and the files."""

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.textpath import text_to_path
from matplotlib.transforms import Bbox

FORMATS = {"png": "image/png", "svg": "image/svg+xml", "pdf": "application/pdf"}
WIDTHS = {1: 85.0, 2: 174.0}
"""Width in mm of one and of two columns of a journal."""

INK, GREY, HAIR, SOFT, ACCENT = "#1b1d20", "#5d636b", "#b9bec5", "#eef0f2", "#0b6b6b"
POINTS = 7
"""The size of all type; no journal prints less."""

LINE = 3.4
"""Height of a line of type in mm."""

MARGIN = 2.0
MM = 1 / 25.4
DPI = 300

Look = Mapping[str, Any] | None
"""How a line looks; None where nothing could be drawn."""

_FAMILY = "DejaVu Sans"  # Matplotlib brings it, so every machine draws the same.
_STYLE: dict[Any, Any] = {
    "font.family": ["sans-serif"],
    "font.sans-serif": [_FAMILY],
    "font.size": POINTS,
    "axes.labelsize": POINTS,
    "axes.titlesize": POINTS,
    "figure.labelsize": POINTS,
    "legend.fontsize": POINTS,
    "xtick.labelsize": POINTS,
    "ytick.labelsize": POINTS,
    "text.color": INK,
    "text.parse_math": False,
    "axes.labelcolor": INK,
    "axes.edgecolor": GREY,
    "axes.facecolor": "none",
    "axes.linewidth": 0.4,
    "axes.labelpad": 2,
    "axes.titlepad": 3,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.major.width": 0.4,
    "ytick.major.width": 0.4,
    "xtick.minor.width": 0.3,
    "ytick.minor.width": 0.3,
    "xtick.major.size": 2,
    "ytick.major.size": 2,
    "xtick.major.pad": 2,
    "ytick.major.pad": 2,
    "lines.linewidth": 1.0,
    "hatch.linewidth": 0.4,
    "legend.frameon": False,
    "legend.borderpad": 0,
    "legend.borderaxespad": 0,
    "legend.handlelength": 2.2,
    "legend.handletextpad": 0.5,
    "legend.labelspacing": 0.3,
    "legend.columnspacing": 1.0,
    "figure.facecolor": "white",
    "figure.dpi": DPI,
    "svg.fonttype": "none",
    "pdf.fonttype": 42,
}


@contextmanager
def style(salt: str) -> Iterator[None]:
    """Set our type and hairlines while a figure is drawn; `salt` seeds the names of the parts of an SVG."""
    with mpl.rc_context({**_STYLE, "svg.hashsalt": salt}):
        yield


@lru_cache(4096)
def text_width(text: str) -> float:
    """Return the width of one line of type in mm."""
    font = FontProperties(family=_FAMILY, size=POINTS)
    points: float = text_to_path.get_text_width_height_descent(text, font, ismath=False)[0]
    return points / 72 / MM


def _words(text: str) -> list[str]:
    """Return the words of a text without what cannot be printed."""
    return "".join(letter if letter.isprintable() else " " for letter in text).split()


def shorten(text: str, width: float) -> str:
    """Return one printable line of at most `width` mm, cut with an ellipsis where it was longer."""
    whole = text = " ".join(_words(text))
    while text and text_width(text if text == whole else f"{text}…") > width:
        text = text[:-1].rstrip()
    return text if text == whole else f"{text}…"


def wrap(text: str, width: float) -> list[str]:
    """Return `text` as lines of at most `width` mm, broken between words."""
    lines = [""]
    for word in _words(text):
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and text_width(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return [shorten(line, width) for line in lines]


class Sheet:
    """A figure one or two columns wide, whose parts Matplotlib places; the paragraphs of `caption` come below it."""

    def __init__(self, columns: int) -> None:
        self.columns = columns
        self.width = WIDTHS[columns] - 2 * MARGIN
        self.caption: list[str] = []
        self.figure = Figure(layout=ConstrainedLayoutEngine(w_pad=0.6 * MM, h_pad=0.6 * MM, wspace=0.06, hspace=0.04))

    def panels(self, height: float, rows: int = 1, across: int = 1, **options: Any) -> list[Axes]:
        """Add panels row by row; `height` in mm is that of all, labels and titles included."""
        self.figure.set_size_inches(self.width * MM, height * MM)
        return list(self.figure.subplots(rows, across, squeeze=False, **options).flat)

    def grid(self, titles: Sequence[str], across: int, height: float, x: str, y: str) -> list[Axes]:
        """Add small panels under their titles, `height` mm each with it; `x` and `y` name the axes, once for all."""
        rows = -(-len(titles) // across)
        panels = self.panels(rows * height + 8, rows, across, sharex=True, sharey=True)
        for place, panel in enumerate(panels):
            panel.set_visible(place < len(titles))
            panel.tick_params(labelbottom=place + across >= len(titles))
        for panel, title in zip(panels, titles, strict=False):
            panel.set_title(title, loc="left")
        self.figure.supxlabel(x)
        self.figure.supylabel(y)
        return panels[: len(titles)]

    def undefined(self) -> None:
        """Say that there is nothing to draw."""
        self.figure.set_size_inches(self.width * MM, 2 * LINE * MM)
        self.figure.text(0.5, 0.5, "undefined", ha="center", va="center", color=GREY)

    def key(self, entries: Sequence[tuple[str, Look]]) -> None:
        """Explain the lines: below all in one column, beside in two; what has no line is said in grey."""
        handles = [Line2D([], [], **{"color": INK, **(look or {"linestyle": ""})}) for _, look in entries]
        labels = [shorten(label, self.width - 10) for label, _ in entries]
        if self.columns == 1:
            across = max(1, int((self.width + 2) // (max(map(text_width, labels)) + 9)))
            rows = -(-len(entries) // across)
            self.figure.set_figheight(self.figure.get_figheight() + (rows * 1.1 * LINE + 2) * MM)
            legend = self.figure.legend(handles, labels, loc="outside lower left", ncols=across)
        else:
            legend = self.figure.legend(handles, labels, loc="outside right upper")
        for text, (_, look) in zip(legend.get_texts(), entries, strict=True):
            text.set_color(GREY if look is None else INK)

    def save(self, title: str) -> dict[str, bytes]:
        """Return the figure in every format, without a date, so that the same numbers make the same bytes."""
        lines = "\n\n".join("\n".join(wrap(text, self.width)) for text in self.caption if text)
        self.figure.text(0, -LINE / 2 * MM / self.figure.get_figheight(), lines, va="top", color=GREY, linespacing=1.35)
        self.figure.draw_without_rendering()
        self.figure.set_layout_engine("none")
        for legend in self.figure.legends:  # which would else move to the edge of the larger box
            legend.set_bbox_to_anchor((0, 0, 1, 1), transform=self.figure.transFigure)
        inner = self.figure.get_tightbbox()
        edge = MARGIN * MM
        box = Bbox([[-edge, inner.y0 - edge], [self.width * MM + edge, inner.y1 + edge]])
        metadata: dict[str, dict[str, str | None]] = {
            "png": {"Title": title},
            "svg": {"Title": title, "Date": None},
            "pdf": {"Title": title, "CreationDate": None},
        }
        files = {}
        for name in FORMATS:
            buffer = io.BytesIO()
            self.figure.savefig(buffer, format=name, dpi=DPI, bbox_inches=box, metadata=metadata[name])
            files[name] = buffer.getvalue()
        return files
