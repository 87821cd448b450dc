"""The page that every figure is drawn on: a journal's column in millimetres, its type, hairlines and files."""

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.textpath import text_to_path
from matplotlib.transforms import Affine2D

FORMATS = {"png": "image/png", "svg": "image/svg+xml", "pdf": "application/pdf"}
WIDTHS = {1: 85.0, 2: 174.0}
"""Width in mm of one and of two columns of a journal."""

INK, GREY, HAIR, SOFT, ACCENT = "#1b1d20", "#5d636b", "#b9bec5", "#eef0f2", "#0b6b6b"
POINTS = 7
"""The size of all type; no journal prints less."""

LINE = 3.4
"""Height of a line of type in mm."""

MARGIN = 2.0
LEFT = 14.0
"""Where the large panel begins, in mm."""

DPI = 300
MM = 1 / 25.4

_FAMILY = "DejaVu Sans"  # Matplotlib brings it, so every machine draws the same.
_STYLE: dict[Any, Any] = {
    "font.family": ["sans-serif"],
    "font.sans-serif": [_FAMILY],
    "font.size": POINTS,
    "axes.labelsize": POINTS,
    "axes.titlesize": POINTS,
    "xtick.labelsize": POINTS,
    "ytick.labelsize": POINTS,
    "text.color": INK,
    "text.parse_math": False,
    "axes.labelcolor": INK,
    "axes.edgecolor": GREY,
    "axes.facecolor": "none",
    "axes.linewidth": 0.4,
    "axes.labelpad": 2,
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
    "figure.facecolor": "white",
    "svg.fonttype": "none",
    "pdf.fonttype": 42,
}


@contextmanager
def style(salt: str) -> Iterator[None]:
    """Set our type and hairlines while a figure is drawn; `salt` seeds the names of the parts of an SVG."""
    with mpl.rc_context({**_STYLE, "svg.hashsalt": salt}):
        yield


@lru_cache(4096)
def text_width(text: str, *, bold: bool = False) -> float:
    """Return the width of one line of type in mm."""
    font = FontProperties(family=_FAMILY, size=POINTS, weight="bold" if bold else "normal")
    points: float = text_to_path.get_text_width_height_descent(text, font, ismath=False)[0]
    return points / 72 / MM


def widest(texts: Sequence[str], *, bold: bool = False) -> float:
    """Return the width in mm of the widest of some lines, 0 for none."""
    return max((text_width(text, bold=bold) for text in texts), default=0.0)


def _words(text: str) -> list[str]:
    """Return the words of a text without what cannot be printed."""
    return "".join(letter if letter.isprintable() else " " for letter in text).split()


def shorten(text: str, width: float, *, bold: bool = False) -> str:
    """Return one printable line of at most `width` mm, cut with an ellipsis where it was longer."""
    text = " ".join(_words(text))
    if text_width(text, bold=bold) <= width:
        return text
    while text and text_width(f"{text}…", bold=bold) > width:
        text = text[:-1].rstrip()
    return f"{text}…"


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


@dataclass(frozen=True)
class Entry:
    """A line of a key: what it says and how its stroke looks; without a stroke it is said in grey."""

    label: str
    stroke: Mapping[str, Any] | None = field(default_factory=dict)


class Page:
    """A sheet measured in mm from its top left corner, as high as what is put on it.

    `bottom` is the lowest point used so far; `figure` may be drawn on directly in the units of `mm`.
    """

    def __init__(self, columns: int) -> None:
        self.columns = columns
        self.width = WIDTHS[columns]
        self.bottom = MARGIN
        self.figure = Figure()
        self._corner = Affine2D()
        self.mm = self._corner + self.figure.dpi_scale_trans
        self._places: list[tuple[Axes, tuple[float, float, float, float]]] = []

    @property
    def right(self) -> float:
        """The right edge of what may be printed on, in mm."""
        return self.width - MARGIN

    def panel(self, x: float, y: float, width: float, height: float) -> Axes:
        """Add axes at a place in mm."""
        axes = self.figure.add_axes((0, 0, 1, 1))
        self._places.append((axes, (x, y, width, height)))
        self.bottom = max(self.bottom, y + height)
        return axes

    def write(self, x: float, y: float, text: str, **style: Any) -> Text:
        """Write one line whose top is at `y` mm."""
        style = {"va": "top", **style}
        self.bottom = max(self.bottom, y + (0 if style.get("rotation") else LINE))
        return self.figure.text(x, y, text, transform=self.mm, **style)

    def paragraph(self, text: str, *, x: float = MARGIN, width: float | None = None, colour: str = GREY) -> None:
        """Write lines of type below everything so far."""
        for line in wrap(text, width or self.right - x):
            self.write(x, self.bottom, line, color=colour)

    def undefined(self, reason: str = "undefined") -> None:
        """Say that there is nothing to draw."""
        self.write(self.width / 2, self.bottom + 2 * LINE, reason, ha="center", color=GREY)
        self.bottom += 2 * LINE

    def key(self, entries: Sequence[Entry], x: float, y: float) -> None:
        """Write a key at a place in mm, in as many columns as fit to its right."""
        stroke, gap = 7.0, 2.0
        width = stroke + 1.5 + widest([entry.label for entry in entries]) + gap
        across = max(1, int((self.right - x + gap) // width))
        rows = -(-len(entries) // across)
        for place, entry in enumerate(entries):
            left, top = x + place // rows * width, y + place % rows * (LINE + 0.4)
            if entry.stroke is not None:
                ends = [left, left + stroke], [top + LINE / 2 - 0.3] * 2
                self.figure.add_artist(Line2D(*ends, **{"color": INK, **entry.stroke}, transform=self.mm))
            label = shorten(entry.label, self.right - left - stroke - 1.5)
            self.write(left + stroke + 1.5, top, label, color=GREY if entry.stroke is None else INK)

    def main(self) -> Axes:
        """Add the one large panel of a figure; leaves room for its labels."""
        height = 62.0 if self.columns == 1 else 74.0
        return self.full(self.bottom, height)

    def full(self, top: float, height: float) -> Axes:
        """Add a panel of the width of the large one, its label in line with the others."""
        width = self.right - LEFT - 1.5 if self.columns == 1 else 80.0
        panel = self.panel(LEFT, top, width, height)
        panel.yaxis.set_label_coords((MARGIN + 2.4 - LEFT) / width, 0.5)
        return panel

    def main_key(self, entries: Sequence[Entry]) -> None:
        """Explain the large panel: below it in one column, beside it in two."""
        if self.columns == 1:
            self.key(entries, MARGIN, self.bottom + 9.5)
        else:
            bottom = self.bottom + 9
            self.key(entries, LEFT + 88, MARGIN)
            self.bottom = max(self.bottom, bottom)

    def grid(self, titles: Sequence[Sequence[str]], across: int, *, height: float, x: str, y: str) -> list[Axes]:
        """Add small panels under titles of equally many lines, the first bold; only outer ones carry tick labels.

        `x` and `y` name the axes, once for all panels; `height` of a panel is in mm.
        """
        left, gap, top = 12.0, 3.5, self.bottom
        width = (self.right - left + gap) / across - gap
        head = len(titles[0]) * LINE + 0.6
        panels = []
        for place, title in enumerate(titles):
            column, row = place % across, place // across
            at = left + column * (width + gap), top + row * (head + height + 3)
            for number, line in enumerate(title):
                bold = number == 0
                fitting = shorten(line, width, bold=bold)
                self.write(at[0], at[1] + number * LINE, fitting, weight="bold" if bold else "normal")
            panel = self.panel(at[0], at[1] + head, width, height)
            panel.tick_params(labelleft=column == 0, labelbottom=place + across >= len(titles))
            panels.append(panel)
        self.write(3, (top + self.bottom + head) / 2, y, rotation=90, va="center", ha="center")
        self.write((left + self.right) / 2, self.bottom + 4.5, x, ha="center")
        return panels

    def abbreviations(self, codes: Sequence[str], names: Mapping[str, str]) -> None:
        """Spell out the codes that were drawn, in one grey paragraph."""
        known = [(code, names.get(code) or code) for code in codes]
        said = [f"{code.upper()}: {name}" for code, name in known if name.casefold() != code.casefold()]
        if said:
            self.bottom += 2
            self.paragraph("; ".join(said) + ".")

    def finish(self, note: str) -> None:
        """Write the note, give the page its height and put every panel in its place."""
        self.bottom += 2
        if note:
            self.paragraph(note)
        height = self.bottom + MARGIN
        # Half a pixel more than whole ones, since Matplotlib rounds down.
        wide, high = ((round(side * MM * DPI) + 0.5) / DPI for side in (self.width, height))
        self.figure.set_size_inches(wide, high)
        self._corner.scale(MM, -MM).translate(0, self.figure.get_figheight())
        for axes, (x, y, across, down) in self._places:
            axes.set_position((x / self.width, 1 - (y + down) / height, across / self.width, down / height))

    def save(self, title: str) -> dict[str, bytes]:
        """Return the figure in every format, without a date, so that the same numbers make the same bytes."""
        metadata: dict[str, dict[str, str | None]] = {
            "png": {"Title": title},
            "svg": {"Title": title, "Date": None},
            "pdf": {"Title": title, "CreationDate": None},
        }
        files = {}
        for name in FORMATS:
            buffer = io.BytesIO()
            self.figure.savefig(buffer, format=name, dpi=DPI, metadata=metadata[name])
            files[name] = buffer.getvalue()
        return files
