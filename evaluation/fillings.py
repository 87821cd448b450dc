"""What this app shows on the other app's pages."""

from typing import Any

from django.http import HttpRequest

from classifier.models import ModelRecord
from evaluation.models import Evaluation
from skinsite.jobs import State

SHOWN = 6


def evaluations_of_model(request: HttpRequest, *, model: ModelRecord) -> dict[str, Any] | None:
    """The evaluations of a model that the reader may see, newest first; real pictures before drawn ones."""
    rows = _visible(request).filter(model=model, state=State.DONE).order_by("data_set__synthetic", "-pk")[:SHOWN]
    return {"rows": rows} if rows else None


def last_evaluations(request: HttpRequest) -> dict[str, Any] | None:
    """A person's own evaluations, those that wait or run first."""
    rows = _visible(request).filter(owner=request.user).order_by("finished_at", "-pk")
    waiting = list(rows.filter(finished_at=None))
    done = list(rows.exclude(finished_at=None).order_by("-finished_at")[:SHOWN])
    return {"rows": waiting + done} if waiting or done else None


def _visible(request: HttpRequest) -> Any:
    return Evaluation.objects.visible_to(request.user).select_related("model", "data_set").in_short()
