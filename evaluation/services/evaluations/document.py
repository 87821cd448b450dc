"""Data sets, evaluations and comparisons as the API shows them."""

from typing import Any

from django.urls import reverse

from evaluation.metrics.catalogue import BY_CODE
from evaluation.models import Comparison, DataSet, Evaluation, MapCheck, SettingCheck

Document = dict[str, Any]


def data_set_document(data_set: DataSet) -> Document:
    summary = data_set.summary
    return {
        "id": str(data_set.pk),
        "name": data_set.name,
        "state": data_set.state,
        "created": data_set.created,
        "published": data_set.published,
        "synthetic": data_set.synthetic,
        "images": summary.get("images", 0),
        "lesions": summary.get("lesions", 0),
        "classes": {code: entry["images"] for code, entry in summary.get("classes", {}).items()},
        "labels": data_set.labels,
        "decoded": data_set.decoded,
        "total": data_set.total,
        "refused": data_set.refused,
        "warnings": data_set.warnings,
        "columns": data_set.columns,
        "guess": data_set.guess,
        "mapping": data_set.mapping,
        "page": data_set.get_absolute_url(),
        "error": data_set.error,
    }


def evaluation_document(evaluation: Evaluation, *, sheets: bool = True) -> Document:
    """`sheets` is None until the evaluation is done."""
    done = evaluation.document if sheets else {}
    failed = list(evaluation.failed_images.select_related("image")) if sheets else []
    return {
        "id": str(evaluation.pk),
        "state": evaluation.shown_state,
        "stage": evaluation.stage,
        "dataset": str(evaluation.data_set_id),
        "model": {
            "id": str(evaluation.model_id),
            "name": evaluation.model.name,
            "version": evaluation.model.version,
            "sha256": evaluation.model.sha256,
        },
        "engine": evaluation.engine,
        "done": evaluation.done,
        "total": evaluation.total,
        "reused": evaluation.reused,
        "failed_images": evaluation.failed_images.count(),
        "failures": [{"image": row.image.name, "code": row.code, "message": row.message} for row in failed],
        "seconds": evaluation.seconds,
        "seconds_left": evaluation.seconds_left,
        "images_per_second": evaluation.images_per_second,
        "sheets": {
            "textbook": done["textbook"],
            "isic": done["isic"] and isic_sheet(done["isic"]),
            "isic_reason": done["isic_reason"],
            "unseen": done.get("unseen"),
            "seen": done.get("seen"),
        }
        if done
        else None,
        "without_place": done.get("without_place", {}),
        "seen": evaluation.seen or None,
        "page": evaluation.get_absolute_url(),
        "predictions": reverse("api:evaluation_predictions", args=[evaluation.pk]),
        "error": evaluation.error,
    }


def isic_sheet(stored: Document) -> Document:
    """Return the challenge's numbers in the shape of every sheet: {value, low, high} without intervals.

    `precision` and `f1` are the challenge's ppv and dice; `accuracy` is its mean over the classes' own accuracies. What
    the challenge does not compute is null.
    """
    also = {"precision": "ppv", "f1": "dice"}
    per_class = {}
    for code, row in stored["per_class"].items():
        numbers = {name: _bare(value) for name, value in row.items() if name != "support"}
        numbers |= {name: numbers[theirs] for name, theirs in also.items()}
        per_class[code] = {"support": row["support"]} | numbers
    macro = {name: _bare(value) for name, value in stored["macro"].items()}
    headline = dict.fromkeys(BY_CODE, _bare(None))
    headline |= {"accuracy": macro["accuracy"], "macro_f1": macro["dice"], "macro_auc": macro["auc"]}
    headline |= {"balanced_accuracy": _bare(stored["balanced_accuracy"])}
    rest = {name: stored[name] for name in ("images", "averaged_over", "confusion")}
    return rest | headline | {"macro": macro, "per_class": per_class}


def _bare(value: float | None) -> Document:
    return {"value": value, "low": None, "high": None}


def comparison_document(comparison: Comparison) -> Document:
    """The numbers are null until the comparison is done."""
    done = comparison.document
    empty: Document = {"images": None, "excluded": [], "models": [], "pairs": [], "groups": []}
    return {
        "id": str(comparison.pk),
        "state": comparison.state,
        "dataset": str(comparison.data_set_id),
        "evaluations": [str(pk) for pk in comparison.order],
        "taxonomy": comparison.taxonomy,
        **(empty | {"smallest_difference": None} | done),
        "page": comparison.get_absolute_url(),
        "error": comparison.error,
    }


def setting_check_document(check: SettingCheck) -> Document:
    """`result` is None until the check is done."""
    return {
        "id": str(check.pk),
        "state": check.shown_state,
        "model": str(check.model_id),
        "dataset": str(check.data_set_id),
        "seed": check.seed,
        "done": check.done,
        "total": check.total,
        "result": check.document or None,
        "filled": None if check.filled_id is None else str(check.filled_id),
        "page": check.get_absolute_url(),
        "error": check.error,
    }


def map_check_document(check: MapCheck) -> Document:
    """`result` is None until the check is done."""
    return {
        "id": str(check.pk),
        "state": check.shown_state,
        "model": str(check.model_id),
        "dataset": None if check.data_set_id is None else str(check.data_set_id),
        "seed": check.seed,
        "done": check.done,
        "total": check.total,
        "busy_seconds": check.busy_seconds,
        "result": check.document or None,
        "page": check.get_absolute_url(),
        "error": check.error,
    }
