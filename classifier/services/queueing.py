"""Sending messages: after the commit, with an id and nothing else. sweeping.py sends lost ones again."""

import logging
from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from classifier.models import Admission, ExplanationJob, ModelRecord, Prediction
from skinsite.celery import app

logger = logging.getLogger(__name__)
DEFAULT_QUEUE = "default"
PREDICT = "classifier.predict"
EXPLAIN = "classifier.explain"
ADMIT = "classifier.admit"


def queue_of(model: ModelRecord) -> str:
    """A person waits for a prediction: it goes to the interactive queue of the model's framework."""
    return model.framework


def send_predictions_on_commit(pks: Iterable[int], *, queue: str) -> None:
    waiting = list(pks)
    transaction.on_commit(lambda: send_predictions(waiting, queue=queue))


def send_predictions(pks: list[int], *, queue: str) -> None:
    send(PREDICT, pks, queue)
    Prediction.objects.filter(pk__in=pks).update(sent_at=timezone.now())


def send_explanations(pks: list[int], *, queue: str) -> None:
    send(EXPLAIN, pks, queue)
    ExplanationJob.objects.filter(pk__in=pks).update(sent_at=timezone.now())


def send_admission_on_commit(admission: Admission) -> None:
    transaction.on_commit(lambda: send_admissions([admission.pk]))


def send_admissions(pks: list[int]) -> None:
    send(ADMIT, pks, DEFAULT_QUEUE)
    Admission.objects.filter(pk__in=pks).update(sent_at=timezone.now())


def send(task: str, pks: Iterable[int], queue: str) -> None:
    """Send one message for each id. A broker that is down loses nothing: the rows wait for the sweeper."""
    try:
        with app.connection_for_write() as connection, app.amqp.Producer(connection) as producer:
            for pk in pks:
                app.send_task(task, args=(pk,), queue=queue, producer=producer, ignore_result=True)
    except (OperationalError, OSError) as error:
        logger.warning("The broker does not answer (%s); the sweeper will send again.", error)
