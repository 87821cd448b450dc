"""What numbers mean, in words: the sentences of the pages and of the methods paragraph."""

import math
from typing import Any

from evaluation.documents.evaluation_result import EvaluationResult
from evaluation.documents.sheet import Sheet
from evaluation.metrics.number import Number
from evaluation.models import DataSet, Evaluation
from evaluation.services.data_sets.seen import UNDECLARED


def class_rows(data_set: DataSet) -> list[dict[str, object]]:
    """The classes of a data set, largest first, with what may be concluded from so many lesions."""
    counts = data_set.result.classes
    most = max((entry.images for entry in counts.values()), default=1)
    return [
        {
            "code": code,
            "name": data_set.label_name(code),
            "images": entry.images,
            "lesions": entry.lesions,
            "width": 100 * entry.images / most,
            "half": half_width(entry.lesions),
        }
        for code, entry in sorted(counts.items(), key=lambda item: -item[1].images)
    ]


def subgroup_rows(data_set: DataSet) -> list[dict[str, object]]:
    titles = {"sex": "Sex", "site": "Site", "dx_type": "Confirmed by", "skin_type": "Skin type"}
    groups = data_set.result.subgroups
    return [
        {"title": title, "values": [(value or "not recorded", count) for value, count in groups.get(name, {}).items()]}
        for name, title in titles.items()
        if set(groups.get(name, {})) - {""}
    ]


def confusion_sentence(sheet: Sheet, names: dict[str, str]) -> str:
    """Name the confusion that happens most often."""
    codes, counts = sheet.confusion["classes"], sheet.confusion["counts"]
    errors = [(counts[i][j], i, j) for i in range(len(codes)) for j in range(len(codes)) if i != j]
    if not errors or max(errors)[0] == 0:
        return "No image was put into a wrong class."
    number, i, j = max(errors, key=lambda entry: (entry[0], -entry[1], -entry[2]))
    truth, said = names.get(codes[i], codes[i]), names.get(codes[j], codes[j])
    images = f"{number} image{'s' if number != 1 else ''}"
    return f"Most often confused: {images} of {truth.lower()} called {said.lower()}."


def calibration_sentence(document: EvaluationResult) -> str:
    """Compare the calibration error with what a perfectly calibrated model would show."""
    value, perfect = document.textbook.number("ece").value, document.textbook.ece_if_perfect
    if value is None or perfect is None:
        return ""
    bins = document.curves.reliability
    gap = sum(row["images"] * ((row["confidence"] or 0) - (row["accuracy"] or 0)) for row in bins)
    side = "more confident than right" if gap > 0 else "less confident than right"
    return (
        f"The model is on the whole {side}: calibration error {value:.3f}; a perfectly calibrated model would show "
        f"about {perfect:.3f} at this number of images."
    )


def methods_paragraph(evaluation: Evaluation, document: EvaluationResult) -> str:
    """A paragraph for the paper, with the numbers of this evaluation."""
    sheet, unit = document.textbook, document.unit
    balanced = _n(sheet.number("balanced_accuracy"))
    seen = evaluation.seen or {}
    parts = [
        f"{evaluation.model.name} (version {evaluation.model.version}, weights SHA-256 {evaluation.model.sha256[:12]}) "
        f"was evaluated on {sheet.images:,} images of {sheet.lesions:,} {unit} from {evaluation.data_set.name}.",
        f"Balanced accuracy, averaged over {', '.join(sheet.averaged_over)}, was {balanced}.",
        f"Intervals are 95 % and take {unit} as the unit: beta-binomial posterior for the rates of a class, smoothed "
        f"bootstrap for balanced accuracy, Obuchowski's clustered variance on the logit scale for the area under the "
        f"ROC curve (Newcombe's score interval where {unit} are few), and a percentile bootstrap "
        f"({document.replicates} replicates, seed {document.seed}) for the rest.",
        "The expected calibration error uses 15 bins of equal width of the top label; the Brier score sums over "
        "classes.",
        _training(seen),
        "Computed with Skinsite; for research and teaching, not for diagnosis.",
    ]
    return " ".join(parts)


def _n(number: Number) -> str:
    if number.value is None:
        return "undefined"
    if number.low is None:
        return f"{number.value:.3f}"
    return f"{number.value:.3f} (95 % interval {number.low:.3f} to {number.high:.3f})"


def half_width(lesions: int) -> float:
    """Return about half the width of the interval of a rate of 0.5 from this many independent lesions."""
    return 0.98 / math.sqrt(lesions + 3.84)


def _training(seen: dict[str, Any]) -> str:
    if UNDECLARED in seen.get("notices", (UNDECLARED,)):
        return "No training data is declared for the model: whether it has seen images of this set is not known."
    return f"Training data: {seen.get('how')}; {seen.get('images', 0)} images of the set were seen."
