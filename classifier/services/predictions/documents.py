"""Rows as the JSON objects of the contract: models, cases, images, predictions."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.urls import reverse

from classifier.models import Case, CaseImage, Explanation, ModelRecord, Prediction
from classifier.models.case import case_state
from classifier.services.predictions.predict import GRAD_CAM
from skinsite.jobs import State

Document = dict[str, Any]
NOBODY_WAITS: Mapping[int, int] = {}


def moment(time: datetime | None) -> str | None:
    """Return a time as ISO 8601 in UTC, to the millisecond."""
    return None if time is None else time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def model_document(model: ModelRecord) -> Document:
    manifest = model.manifest
    return {
        "id": str(model.pk),
        "name": model.name,
        "version": model.version,
        "framework": model.framework or None,
        "architecture": model.architecture or None,
        "state": model.state,
        "default": model.is_default,
        "classes": [{key: entry[key] for key in ("code", "name", "malignant")} for entry in model.classes],
        "input": manifest.get("input"),
        "output": manifest.get("output"),
        "training_data": manifest.get("training_data") or [],
        "licence": model.licence,
        "layer": model.layer or None,
        "parameters": model.parameters,
        "sha256": model.sha256 or None,
        "upload_sha256": model.upload_sha256,
        "created": moment(model.created),
        "report": model.report,
        "measured": model.measured,
        "card": model.get_absolute_url(),
        "error": model.error,
    }


def case_document(case: Case, positions: Mapping[int, int] = NOBODY_WAITS) -> Document:
    """One case that `history.with_answers` fetched; `positions` as `waiting.positions` gives them."""
    images = list(case.images.all())
    return {
        "id": str(case.pk),
        "title": case.title,
        "created": moment(case.created),
        "state": case_state(row.state for image in images for row in image.predictions.all()),
        "age": None if case.age is None else float(case.age),
        "sex": case.sex or None,
        "site": case.site or None,
        "reference": case.reference or None,
        "note": case.note,
        "refused": case.refused,
        "page": case.get_absolute_url(),
        "images": [image_document(image, positions) for image in images],
    }


def image_document(image: CaseImage, positions: Mapping[int, int] = NOBODY_WAITS) -> Document:
    return {
        "id": str(image.pk),
        "name": image.name,
        "sha256": image.sha256,
        "width": image.width,
        "height": image.height,
        "changes": image.changes,
        "url": reverse("api:pixels", args=[image.pk]),
        "predictions": [prediction_document(row, positions) for row in image.predictions.all()],
    }


def prediction_document(prediction: Prediction, positions: Mapping[int, int] = NOBODY_WAITS) -> Document:
    """`queue_position` counts from 1 in the queue of the model's framework; null unless queued."""
    model = prediction.model
    return {
        "id": str(prediction.pk),
        "model": {"id": str(model.pk), "name": model.name, "version": model.version, "sha256": model.sha256},
        "state": prediction.state,
        "top": _top(prediction),
        "probabilities": _in_order(model, prediction.probabilities),
        "scores": _in_order(model, prediction.scores),
        "explanation": _explanation(prediction),
        "engine": prediction.engine,
        "timings_ms": {
            "queued": prediction.queued_ms,
            "load": prediction.load_ms,
            "predict": prediction.predict_ms,
            "explain": prediction.explain_ms,
        },
        "queued": moment(prediction.queued_at),
        "started": moment(prediction.started_at),
        "finished": moment(prediction.finished_at),
        "queue_position": positions.get(prediction.pk),
        "attempts": prediction.attempts,
        "error": prediction.error,
    }


def _top(prediction: Prediction) -> Document | None:
    if prediction.state != State.DONE:
        return None
    return {"code": prediction.top_code, "name": prediction.top_name, "probability": prediction.top_probability}


def _in_order(model: ModelRecord, values: Mapping[str, float] | None) -> dict[str, float] | None:
    """Return the values in the order of the model's classes: a database may have sorted them."""
    if values is None:
        return None
    return {entry["code"]: values[entry["code"]] for entry in model.classes if entry["code"] in values}


def _explanation(prediction: Prediction) -> Document | None:
    """The stored Grad-CAM of a finished prediction, for the class that won."""
    stored = next((row for row in prediction.explanations.all() if row.method == GRAD_CAM), None)
    return None if stored is None else explanation_document(prediction, stored)


def explanation_document(prediction: Prediction, explanation: Explanation) -> Document:
    address = reverse("api:heat", args=[prediction.pk])
    return {
        "method": explanation.method,
        "target": prediction.top_code or None,
        "layer": explanation.layer or None,
        "url": None if explanation.error else f"{address}?class={prediction.top_code}",
        "error": explanation.error,
    }
