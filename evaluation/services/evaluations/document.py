"""An evaluation as the API shows it."""

from django.urls import reverse

from evaluation.documents.shapes import IsicSheet
from evaluation.metrics.catalogue import BY_CODE
from evaluation.models import Evaluation
from evaluation.services.api_document import Document, job_document


def evaluation_document(evaluation: Evaluation, *, sheets: bool = True) -> Document:
    """`sheets` is None until the evaluation is done."""
    done = evaluation.document if sheets else {}
    failed = list(evaluation.failed_images.select_related("image")) if sheets else []
    return job_document(evaluation) | {
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
        "predictions": reverse("api:evaluation_predictions", args=[evaluation.pk]),
    }


def isic_sheet(stored: IsicSheet) -> Document:
    """Return the challenge's numbers in the shape of every sheet: {value, low, high} without intervals.

    `precision` and `f1` are the challenge's ppv and dice; `accuracy` is its mean over the classes' own accuracies. What
    the challenge does not compute is null.
    """
    also = {"precision": "ppv", "f1": "dice"}
    per_class: Document = {}
    for code, row in stored["per_class"].items():
        numbers = {name: _bare(value) for name, value in row.items() if name != "support"}
        numbers |= {name: numbers[theirs] for name, theirs in also.items()}
        per_class[code] = {"support": row["support"]} | numbers
    macro = {name: _bare(value) for name, value in stored["macro"].items()}
    headline = dict.fromkeys(BY_CODE, _bare(None))
    headline |= {"accuracy": macro["accuracy"], "macro_f1": macro["dice"], "macro_auc": macro["auc"]}
    headline |= {"balanced_accuracy": _bare(stored["balanced_accuracy"])}
    rest = {"images": stored["images"], "averaged_over": stored["averaged_over"], "confusion": stored.get("confusion")}
    return rest | headline | {"macro": macro, "per_class": per_class}


def _bare(value: float | None) -> Document:
    return {"value": value, "low": None, "high": None}
