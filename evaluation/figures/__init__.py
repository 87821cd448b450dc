"""PURE PYTHON: the numbers of an evaluation in, figures fit for a journal out. Never Django."""

from collections.abc import Callable, Mapping
from typing import Any

from evaluation.figures import confusion, curves, decision, reliability, scores, subgroups
from evaluation.figures.sheet import FORMATS, WIDTHS, Sheet, style

__all__ = ["FORMATS", "KINDS", "TITLES", "draw"]

_FIGURES: Mapping[str, tuple[str, Callable[[Sheet, Any], None]]] = {
    "confusion": (confusion.TITLE, confusion.draw),
    "roc": (curves.ROC_TITLE, curves.roc),
    "precision-recall": (curves.PRECISION_RECALL_TITLE, curves.precision_recall),
    "reliability": (reliability.TITLE, reliability.draw),
    "scores": (scores.TITLE, scores.draw),
    "subgroups": (subgroups.TITLE, subgroups.draw),
    "decision": (decision.TITLE, decision.draw),
}
KINDS = tuple(_FIGURES)
TITLES = {kind: title for kind, (title, _) in _FIGURES.items()}
BY_CLASS = {"confusion", "roc", "precision-recall", "scores"}


def draw(kind: str, data: Any, *, names: Mapping[str, str], note: str, columns: int = 1) -> dict[str, bytes]:
    """Return one figure as the bytes of each of FORMATS.

    `names` maps codes of classes to names; `note` is the small print at the bottom; `columns` is the width in
    columns of a journal, 1 (85 mm) or 2 (174 mm). What is None or empty in `data` is called undefined in the figure.
    Raises ValueError for an unknown kind or number of columns. The same input gives the same bytes.
    """
    if kind not in _FIGURES:
        raise ValueError(f"{kind!r} is no figure: expected one of {', '.join(KINDS)}")
    if columns not in WIDTHS:
        raise ValueError(f"{columns!r} columns: expected 1 or 2")
    title, paint = _FIGURES[kind]
    with style(kind):
        sheet = Sheet(columns)
        if data:
            paint(sheet, data)
        else:
            sheet.undefined()
        if data and kind in BY_CLASS:
            sheet.caption.append(_abbreviations(data.get("classes", data), names))
        sheet.caption.append(note)
        return sheet.save(title)


def _abbreviations(codes: Any, names: Mapping[str, str]) -> str:
    """Spell out the codes that were drawn."""
    known = [(code, names.get(code) or code) for code in codes]
    said = [f"{code.upper()}: {name}" for code, name in known if name.casefold() != code.casefold()]
    return f"{'; '.join(said)}." if said else ""
