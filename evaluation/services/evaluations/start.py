"""Evaluations: asked for, and deleted with what nothing else needs."""

from typing import Any

from django.db import transaction

from classifier.models import ModelRecord
from evaluation.models import DataSet, Evaluation, Inference
from evaluation.services.evaluations import stored_predictions
from evaluation.services.ready import not_ready
from skinsite.jobs import actions
from skinsite.refusal import Conflict, Problem, Refusal


def start_evaluation(*, owner: Any, data_set: DataSet, model: ModelRecord) -> Evaluation:
    """Queue an evaluation. Raises Refusal for what is not ready, and above the owner's limit of waiting ones."""
    if problems := not_ready(data_set, model):
        raise Refusal(*problems)
    total = data_set.images.count()
    evaluation = Evaluation(owner=owner, data_set=data_set, model=model, engine=model.engine, total=total)
    try:
        actions.start(evaluation)
    except Conflict as full:
        raise Refusal(Problem("dataset", str(full))) from full
    return evaluation


def delete_evaluation(evaluation: Evaluation) -> None:
    """Delete an evaluation, its comparisons, and its stored answers unless another evaluation uses them."""
    with transaction.atomic():
        using = stored_predictions.recipe(evaluation.model, evaluation.engine)
        others = Evaluation.objects.filter(data_set=evaluation.data_set, model__sha256=evaluation.model.sha256)
        others = others.exclude(pk=evaluation.pk).select_related("model")
        if using not in {stored_predictions.recipe(other.model, other.engine) for other in others}:
            Inference.objects.filter(image__data_set=evaluation.data_set, recipe=using).delete()
        for comparison in evaluation.comparisons.all():
            comparison.delete()
        actions.delete(evaluation)
