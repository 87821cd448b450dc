"""What evaluations tell of a model on its page and in its card: figures with intervals, declared training data."""

from typing import Any

from django.http import HttpRequest
from django.utils.text import slugify

from classifier.models import ModelRecord
from evaluation.models import Evaluation
from skinsite.jobs import State

METRICS = {
    "accuracy": ("accuracy", "Accuracy"),
    "balanced_accuracy": ("balanced_accuracy", "Balanced accuracy"),
    "macro_f1": ("f1", "Macro F1"),
    "macro_auc": ("roc_auc", "Macro AUC"),
}
"""Keys of a sheet: the Hub's metric and a title."""


def figures_of_model(request: HttpRequest, *, model: ModelRecord) -> dict[str, Any] | None:
    """The done evaluations that this person may see, newest first."""
    rows = list(_done(request, model))
    return {"evaluations": rows} if rows else None


def training_of_model(request: HttpRequest, *, model: ModelRecord) -> dict[str, Any] | None:
    """The lists of what the model was trained on; administrators are offered to add one."""
    sets = list(model.training_sets.select_related("data_set"))
    may_edit = bool(request.user.is_staff)
    return {"training_sets": sets, "may_edit": may_edit} if sets or may_edit else None


def results_for_card(request: HttpRequest, *, model: ModelRecord) -> dict[str, Any] | None:
    """Results as a Hugging Face model-index has them, on real pictures only."""
    return {"results": [_result(row) for row in _done(request, model) if not row.data_set.synthetic]}


def _done(request: HttpRequest, model: ModelRecord) -> Any:
    rows = Evaluation.objects.visible_to(request.user).filter(model=model, state=State.DONE)
    return rows.select_related("data_set")


def _result(row: Evaluation) -> dict[str, Any]:
    sheet = row.document.get("textbook") or {}
    found = [(key, sheet.get(key) or {}) for key in METRICS]
    return {
        "task": {"type": "image-classification"},
        "dataset": {"name": row.data_set.name, "type": slugify(row.data_set.name) or "private"},
        "metrics": [_metric(key, number) for key, number in found if number.get("value") is not None],
    }


def _metric(key: str, number: dict[str, Any]) -> dict[str, Any]:
    kind, title = METRICS[key]
    low, high = number.get("low"), number.get("high")
    interval = f", 95 % interval {low:.3f} to {high:.3f}" if low is not None and high is not None else ""
    return {"type": kind, "value": round(number["value"], 4), "name": f"{title}{interval}"}
