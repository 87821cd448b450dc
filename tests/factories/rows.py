"""Rows for tests, made without any framework or worker."""

import hashlib
from typing import Any

from django.contrib.auth import get_user_model
from django.utils import timezone

from classifier.models import Case, CaseImage, ModelRecord, Prediction
from classifier.models.model_record import ModelState
from skinsite.jobs import State

SEVEN = ("akiec", "bcc", "bkl", "df", "mel", "nv", "vasc")


def make_user(username: str = "alice", **fields: Any) -> Any:
    user, _ = get_user_model().objects.get_or_create(
        username=username, defaults={"email": f"{username}@example.org"} | fields
    )
    return user


def make_model(name: str = "Xception", **fields: Any) -> ModelRecord:
    """Return a ready record with seven classes; its bundle is only a name."""
    classes = fields.pop("classes", list(SEVEN))
    digest = hashlib.sha256(name.encode()).hexdigest()
    defaults: dict[str, Any] = {
        "version": "1",
        "state": ModelState.READY,
        "framework": "keras",
        "architecture": "Functional, 134 layers",
        "manifest": {"classes": classes, "input": {"width": 254, "height": 254, "clinical": "none"}},
        "parameters": 1_000_000,
        "sha256": digest,
        "bundle": f"models/bundles/{digest[:16]}",
        "upload": f"models/uploads/{digest[:32]}",
        "upload_name": "model.keras",
        "upload_sha256": digest,
    }
    return ModelRecord.objects.create(name=name, **defaults | fields)


def make_case(owner: Any = None, **fields: Any) -> Case:
    return Case.objects.create(owner=owner or make_user(), **fields)


def make_image(case: Case | None = None, position: int = 0, **fields: Any) -> CaseImage:
    defaults = {"name": "lesion.jpg", "sha256": "0" * 64, "width": 96, "height": 64}
    return CaseImage.objects.create(case=case or make_case(), position=position, **defaults | fields)


def make_prediction(image: CaseImage | None = None, model: ModelRecord | None = None, **fields: Any) -> Prediction:
    model = model or ModelRecord.objects.first() or make_model()
    return Prediction.objects.create(image=image or make_image(), model=model, **fields)


def make_done_prediction(
    image: CaseImage | None = None, model: ModelRecord | None = None, top: str = "nv"
) -> Prediction:
    """Return a prediction that is done, with 0.7 on `top` and the rest shared equally."""
    model = model or ModelRecord.objects.first() or make_model()
    codes = [entry["code"] for entry in model.classes]
    others = 0.3 / (len(codes) - 1)
    now = timezone.now()
    return make_prediction(
        image,
        model,
        state=State.DONE,
        probabilities={code: 0.7 if code == top else others for code in codes},
        top_code=top,
        top_probability=0.7,
        started_at=now,
        finished_at=now,
        attempts=1,
        load_ms=0.0,
        predict_ms=20.0,
        explain_ms=3.0,
    )
