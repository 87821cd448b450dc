"""How a class looks: its colour from the one table, and a line or hatch for whoever cannot tell colours."""

from typing import Any

from matplotlib.colors import to_rgb
from matplotlib.patheffects import Normal, Stroke

from evaluation.figures.sheet import shorten
from skinsite.diagnoses import DIAGNOSES, UNKNOWN_COLOUR

_DASHES: tuple[tuple[float, ...], ...] = (
    (),
    (4, 1.5),
    (1.2, 1.2),
    (6, 1.5, 1.2, 1.5),
    (8, 2),
    (2.5, 1),
    (4, 1.2, 1.2, 1.2, 1.2, 1.2),
    (1.2, 2.6),
)
DISTINCT = len(_DASHES)
"""So many classes can be told apart in one panel; more get a panel each."""

_HATCHES = ("////", "\\\\\\\\", "xxxx", "....", "----", "||||")


def colour(code: str) -> str:
    """Return the colour of a class as #rrggbb."""
    return DIAGNOSES[code].colour if code in DIAGNOSES else UNKNOWN_COLOUR


def label(code: str, width: float = 22) -> str:
    """Return a code as it is written in a figure, cut to `width` mm."""
    return shorten(code.upper(), width)


def luminance(shade: Any) -> float:
    """Return the relative luminance of a colour in [0, 1] (WCAG 2.2)."""
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in to_rgb(shade))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def stroke(code: str, place: int) -> dict[str, Any]:
    """Return the properties of the line of the class that comes at `place`; pale lines get a dark edge."""
    dashes = _DASHES[place % DISTINCT]
    look: dict[str, Any] = {"color": colour(code), "linestyle": (0, dashes) if dashes else "-"}
    if luminance(look["color"]) > 0.6:
        look["path_effects"] = [Stroke(linewidth=1.7, foreground="#6f6820"), Normal()]
    return look


def fill(code: str, place: int) -> dict[str, Any]:
    """Return the properties of an area of the class; codes that the table does not know are hatched."""
    hatch = None if code in DIAGNOSES else _HATCHES[place % len(_HATCHES)]
    return {"facecolor": colour(code), "edgecolor": "#3c4046", "linewidth": 0.4, "hatch": hatch}
