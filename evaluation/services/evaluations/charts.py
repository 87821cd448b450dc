"""What the charts of an evaluation show: its page and its journal figures draw the same numbers."""

from typing import Any

AREAS = {"roc": ("roc", "auc"), "precision-recall": ("precision_recall", "average_precision")}
"""Kinds of curves, with their names in a document and in a row of its classes."""


def chart_data(document: dict[str, Any]) -> dict[str, Any]:
    """Return what each kind of chart shows, in the units of its axes, as `evaluation.figures` takes it."""
    sheet, lines, names = document["textbook"], document["curves"], document["names"]
    curves = {
        kind: {
            code: {"name": names.get(code, code), "area": sheet["per_class"][code][area], **line}
            for code, line in lines[stored].items()
            if line
        }
        for kind, (stored, area) in AREAS.items()
    }
    data = curves | {
        "confusion": sheet["confusion"],
        "reliability": {
            "bins": lines["reliability"],
            "images": [one["images"] for one in lines["reliability"]],
            "ece": sheet["ece"],
        },
        "scores": {code: {"name": names.get(code, code), **bins} for code, bins in lines["scores"].items()},
        "subgroups": document["subgroups"],
    }
    decision = (document["binary"].get("malignant") or {}).get("decision")
    return data | ({"decision": decision} if decision else {})
