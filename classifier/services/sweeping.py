"""The sweeper: takes back what stopped beating, and sends again what the broker lost."""

import logging
from datetime import timedelta

from django.db.models import Q
from django.dispatch import Signal
from django.utils import timezone
from kombu.exceptions import OperationalError

from classifier.models import Admission, ExplanationJob, Prediction
from classifier.models.model_record import Framework
from classifier.services import queueing
from skinsite.celery import app
from skinsite.jobs import JobQuerySet, State

logger = logging.getLogger(__name__)
PATIENCE = timedelta(seconds=5)
swept = Signal()
"""Sent at the end of each round, for the jobs of apps that this one does not know."""


def sweep() -> None:
    """One round. Any number of sweepers may run at once: each step is a conditional UPDATE."""
    for rows in (Prediction.objects.all(), ExplanationJob.objects.all(), Admission.objects.all()):
        if recovered := rows.recover():
            logger.warning("%s %s lost their worker and were taken back.", recovered, rows.model._meta.verbose_name)
    for framework in Framework.values:
        if waiting := unsent(Prediction.objects.filter(model__framework=framework), queue=framework):
            queueing.send_predictions(waiting, queue=framework)
        jobs = ExplanationJob.objects.filter(prediction__model__framework=framework)
        if waiting := unsent(jobs, queue=framework):
            queueing.send_explanations(waiting, queue=framework)
    if waiting := unsent(Admission.objects.all(), queue=queueing.DEFAULT_QUEUE):
        queueing.send_admissions(waiting)
    swept.send(sender=None)


def unsent(rows: JobQuerySet, *, queue: str) -> list[int]:
    """The queued rows that no message stands for: only where their queue is empty can one have been lost."""
    long_ago = timezone.now() - PATIENCE
    waiting = rows.filter(state=State.QUEUED).filter(Q(sent_at__isnull=True) | Q(sent_at__lt=long_ago)).order_by("pk")
    pks = list(waiting.values_list("pk", flat=True))
    return pks if pks and length(queue) == 0 else []


def length(queue: str) -> int | None:
    """The number of messages in a queue, or None while the broker does not answer."""
    try:
        with app.connection_for_write() as connection:
            return int(connection.default_channel.client.llen(queue))
    except (OperationalError, OSError):
        return None
    except Exception as error:  # redis-py and valkey have exceptions of their own
        logger.warning("The broker does not answer (%s).", error)
        return None
