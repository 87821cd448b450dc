"""What the charts of an evaluation show: its page and its journal figures draw the same numbers."""

from typing import Any

from evaluation.documents.evaluation_result import EvaluationResult

AREAS = {"roc": ("roc", "auc"), "precision-recall": ("precision_recall", "average_precision")}
"""Kinds of curves, with their names in Curves and in a ClassRow."""


def chart_data(document: EvaluationResult) -> dict[str, Any]:
    """Return what each kind of chart shows, in the units of its axes, as `evaluation.figures` takes it."""
    sheet, lines, names = document.textbook, document.curves, document.names
    curves = {
        kind: {
            code: {"name": names.get(code, code), "area": sheet.per_class[code].number(area).to_json(), **line}
            for code, line in getattr(lines, stored).items()
            if line
        }
        for kind, (stored, area) in AREAS.items()
    }
    data = curves | {
        "confusion": sheet.confusion,
        "reliability": {
            "bins": lines.reliability,
            "images": [one["images"] for one in lines.reliability],
            "ece": sheet.number("ece").to_json(),
        },
        "scores": {code: {"name": names.get(code, code), **bins} for code, bins in lines.scores.items()},
        "subgroups": document.subgroups,
    }
    malignant = document.binary.get("malignant")
    return data | ({"decision": malignant.decision} if malignant and malignant.decision else {})
