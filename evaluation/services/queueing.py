"""Messages of this app: after the commit, with an id and nothing else."""

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.utils import timezone

from classifier.models.model_record import Framework
from classifier.services import queueing
from classifier.services.sweeping import unsent
from evaluation.models import Comparison, DataSet, Evaluation, MapCheck, SettingCheck
from evaluation.models.evaluation import Stage
from skinsite.jobs import State

IMPORT = "evaluation.import"
EVALUATE = "evaluation.evaluate"
COMPARE = "evaluation.compare"
CHECK_SETTING = "evaluation.check_setting"
CHECK_MAPS = "evaluation.check_maps"
TASKS: dict[Any, str] = {
    DataSet: IMPORT,
    Evaluation: EVALUATE,
    Comparison: COMPARE,
    SettingCheck: CHECK_SETTING,
    MapCheck: CHECK_MAPS,
}


def send_on_commit(job: Any, *, queue: str = queueing.DEFAULT_QUEUE) -> None:
    transaction.on_commit(lambda: _send(type(job), [job.pk], queue))


def send_next_of(owner: Any) -> None:
    """Send the evaluation whose turn it is, after the commit: a person has one running at a time."""
    for evaluation in _waiting().filter(owner=owner):
        send_on_commit(evaluation, queue=evaluation.queue)


def sweep(**kwargs: object) -> None:
    """Take back what stopped beating and send again what the broker lost; called at the end of each round."""
    for kind in TASKS:
        kind.objects.recover()
    for kind in (DataSet, Comparison):
        if waiting := unsent(kind.objects.all(), queue=queueing.DEFAULT_QUEUE):
            _send(kind, waiting, queueing.DEFAULT_QUEUE)
    if waiting := unsent(_waiting().filter(stage=Stage.SCORING), queue=queueing.DEFAULT_QUEUE):
        _send(Evaluation, waiting, queueing.DEFAULT_QUEUE)
    for framework in Framework.values:
        rows = _waiting().filter(stage=Stage.PREDICTING, model__framework=framework)
        if waiting := unsent(rows, queue=f"{framework}-batch"):
            _send(Evaluation, waiting, f"{framework}-batch")
        for kind in (SettingCheck, MapCheck):
            checks = kind.objects.filter(model__framework=framework)
            if waiting := unsent(checks, queue=f"{framework}-batch"):
                _send(kind, waiting, f"{framework}-batch")


def _waiting() -> Any:
    return Evaluation.objects.next_of_each_owner().filter(state=State.QUEUED).select_related("model")


def _send(kind: Any, pks: Iterable[int], queue: str) -> None:
    pks = list(pks)
    queueing.send(TASKS[kind], pks, queue)
    kind.objects.filter(pk__in=pks).update(sent_at=timezone.now())
