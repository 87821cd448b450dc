"""What the page of an evaluation shows, made ready for its template."""

from functools import cached_property
from typing import Any

from evaluation.documents.evaluation_result import EvaluationResult
from evaluation.documents.shapes import StoredNumber
from evaluation.metrics import taxonomy
from evaluation.metrics.catalogue import HEADLINE, ISIC, PER_CLASS, Better, Metric
from evaluation.metrics.number import Number
from evaluation.models import Evaluation
from evaluation.services.evaluations import sentences
from evaluation.services.evaluations.charts import chart_data
from evaluation.services.evaluations.tables import stored_answers

FIGURES = {
    "confusion": "Confusion matrix",
    "roc": "ROC curves",
    "precision-recall": "Precision and recall",
    "reliability": "Reliability",
    "scores": "Score histograms",
    "subgroups": "Subgroups",
    "decision": "Decision curve",
}


class EvaluationPage:
    columns = PER_CLASS

    def __init__(self, evaluation: Evaluation, document: EvaluationResult) -> None:
        self.evaluation, self.document = evaluation, document
        self.sheet, self.names, self.unit = document.textbook, document.names, document.unit

    @property
    def headline(self) -> list[tuple[Metric, Number]]:
        return [(metric, self.sheet.number(metric.code)) for metric in HEADLINE]

    @property
    def per_class(self) -> list[dict[str, Any]]:
        return [
            {
                "code": code,
                "name": self.names.get(code, code),
                "support": row.support,
                "numbers": [(metric, row.number(metric.code)) for metric in PER_CLASS],
            }
            for code, row in self.sheet.per_class.items()
        ]

    @property
    def averaged_over(self) -> str:
        return ", ".join(self.sheet.averaged_over)

    @property
    def confusion(self) -> list[dict[str, Any]]:
        codes, counts = self.sheet.confusion["classes"], self.sheet.confusion["counts"]
        return [
            {
                "code": code,
                "name": self.names.get(code, code),
                "total": sum(row),
                "cells": [
                    {"code": said, "count": count, "share": count / sum(row) if sum(row) else 0, "right": said == code}
                    for said, count in zip(codes, row, strict=True)
                ],
            }
            for code, row in zip(codes, counts, strict=True)
        ]

    @property
    def confusion_sentence(self) -> str:
        return sentences.confusion_sentence(self.sheet, self.names)

    @property
    def calibration_sentence(self) -> str:
        return sentences.calibration_sentence(self.document)

    @property
    def methods(self) -> str:
        return sentences.methods_paragraph(self.evaluation, self.document)

    @property
    def notices(self) -> list[str]:
        """What a reader must know before the numbers."""
        seen = self.evaluation.seen or {}
        found = list(seen.get("notices", []))
        if seen.get("images"):
            found.insert(
                0, f"{seen['images']} of these images were seen in training ({seen['how']}): scored apart below."
            )
        for code, count in self.document.without_place.items():
            images = f"{count} image{'s' if count != 1 else ''}"
            found.append(
                f"{images} of {self.names.get(code, code).lower()} ({code}) have no place among the model's classes."
            )
        for code, places in self.document.mapped.items():
            found += [f"{count} images of {code} count as {place}." for place, count in places.items()]
        return found

    @property
    def parts(self) -> list[dict[str, Any]]:
        """The sheets of seen and unseen images, where there are both."""
        titles = {
            "Images that the model has not seen": self.document.unseen,
            "Images seen in training": self.document.seen,
        }
        shown = [metric for metric in HEADLINE if metric.better == Better.HIGHER]
        return [
            {
                "title": title,
                "images": sheet.images,
                "numbers": [(metric, sheet.number(metric.code)) for metric in shown],
            }
            for title, sheet in titles.items()
            if sheet
        ]

    @cached_property
    def charts(self) -> dict[str, Any]:
        found = chart_data(self.document)
        return found | {"precision_recall": found["precision-recall"]}

    @property
    def isic(self) -> dict[str, Any] | None:
        sheet = self.document.isic
        if sheet is None:
            return None
        rows = [
            {"code": code, "name": self.names.get(code, code), "values": [row.get(metric.code) for metric in ISIC]}
            for code, row in sheet["per_class"].items()
        ]
        macro = [sheet["macro"].get(metric.code) for metric in ISIC]
        return {"metrics": ISIC, "rows": rows, "macro": macro, "balanced": sheet["balanced_accuracy"]}

    @property
    def slider(self) -> dict[str, Any]:
        """What the operating point's script needs: counts at each threshold, never the scores of all images."""
        return {
            key: {
                "title": entry.title,
                "positives": entry.positives,
                "images": entry.images,
                "rows": [
                    [
                        round(row["threshold"], 5),
                        row["tp"],
                        row["fp"],
                        row["fn"],
                        row["tn"],
                        *_interval(row["sensitivity"]),
                        *_interval(row["specificity"]),
                    ]
                    for row in entry.thresholds
                ],
                "missed": [[pk, round(score, 5)] for pk, score in entry.missed],
            }
            for key, entry in self.document.binary.items()
        }

    @property
    def figures(self) -> list[tuple[str, str]]:
        return [(kind, title) for kind, title in FIGURES.items() if kind in self.document.figures]


def cell_images(evaluation: Evaluation, *, truth: str, predicted: str) -> list[dict[str, Any]]:
    """Return the images of a cell, [{pk, name, probability…}], the surest mistakes (or least sure hits) first."""
    codes = [entry["code"] for entry in evaluation.model.classes]
    malignancy, found = evaluation.data_set.malignancy, []
    for image, values in stored_answers(evaluation):
        place = taxonomy.in_classes(image.label, codes, malignancy)
        best = codes[int(values.argmax())]
        if (truth and place != truth) or (predicted and best != predicted) or place is None:
            continue
        of_truth = float(values[codes.index(place)])
        found.append(
            {"pk": image.pk, "truth": place, "predicted": best, "top": float(values.max()), "of_truth": of_truth}
        )
    return sorted(found, key=lambda row: (row["of_truth"], -row["top"]))


def _interval(number: StoredNumber) -> list[float | None]:
    return [None if end is None else round(end, 4) for end in (number["low"], number["high"])]
