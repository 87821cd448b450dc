"""What this app shows on the other app's pages."""

from typing import Any

from django.db.models import F
from django.http import HttpRequest
from django.utils.text import slugify

from classifier.models import ModelRecord
from evaluation.documents.sheet import Sheet
from evaluation.metrics.catalogue import HEADLINE
from evaluation.metrics.number import Number
from evaluation.models import Evaluation
from skinsite.accounts.administrators import by_administrator
from skinsite.jobs import State

SHOWN = 6


def evaluations_of_model(request: HttpRequest, *, model: ModelRecord) -> dict[str, object] | None:
    """The evaluations of a model that the reader may see, newest first; real pictures before drawn ones."""
    rows = _visible(request).filter(model=model, state=State.DONE).order_by("data_set__synthetic", "-pk")[:SHOWN]
    return {"rows": rows} if rows else None


def last_evaluations(request: HttpRequest) -> dict[str, object] | None:
    """A person's own evaluations, those that wait or run first."""
    rows = _visible(request).filter(owner=request.user).order_by("finished_at", "-pk")
    waiting = list(rows.filter(finished_at=None))
    done = list(rows.exclude(finished_at=None).order_by("-finished_at")[:SHOWN])
    return {"rows": waiting + done} if waiting or done else None


def training_of_model(request: HttpRequest, *, model: ModelRecord) -> dict[str, object] | None:
    """The lists of what the model was trained on; administrators are offered to add one."""
    sets = list(model.training_sets.select_related("data_set"))
    may_edit = by_administrator(request)
    return {"training_sets": sets, "may_edit": may_edit} if sets or may_edit else None


def results_for_card(request: HttpRequest, *, model: ModelRecord) -> list[dict[str, object]]:
    """Results as a Hugging Face model-index has them, on real pictures and by the model's engine only."""
    rows = Evaluation.objects.visible_to(request.user).filter(model=model, state=State.DONE)
    rows = rows.exclude(data_set__synthetic=True).filter(engine=F("model__engine")).select_related("data_set")[:20]
    return [_result(row, result.textbook) for row in rows if (result := row.result)]


def _result(row: Evaluation, sheet: Sheet) -> dict[str, object]:
    found = [(*metric.hub, sheet.number(metric.code)) for metric in HEADLINE if metric.hub]
    return {
        "task": {"type": "image-classification"},
        "dataset": {"name": row.data_set.name, "type": slugify(row.data_set.name) or "private"},
        "metrics": [_metric(*one) for one in found if one[-1].value is not None],
    }


def _metric(kind: str, title: str, number: Number) -> dict[str, object]:
    interval = "" if number.low is None else f", 95 % interval {number.low:.3f} to {number.high:.3f}"
    return {"type": kind, "value": round(number.value or 0, 4), "name": f"{title}{interval}"}


def _visible(request: HttpRequest) -> Any:
    return Evaluation.objects.visible_to(request.user).select_related("model", "data_set").in_short()
