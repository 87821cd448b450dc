"""The sweeper: takes back what stopped beating, and sends again what the broker lost."""

import logging
from datetime import timedelta
from functools import cache

from django.apps import apps
from django.db.models import Q
from django.dispatch import Signal
from django.utils import timezone
from kombu.exceptions import OperationalError

from skinsite.celery import app
from skinsite.jobs.send import send
from skinsite.jobs.state import Job

logger = logging.getLogger(__name__)
PATIENCE = timedelta(seconds=5)
swept = Signal()
"""Sent at the end of each round, for what an app wants to have done now and then."""


def kinds() -> list[type[Job]]:
    """Every kind of work of the installed apps."""
    return [model for model in apps.get_models() if issubclass(model, Job)]


def sweep() -> None:
    """One round. Any number of sweepers may run at once: each step is a conditional UPDATE."""
    for kind in kinds():
        if recovered := kind.objects.recover():
            logger.warning("%s %s lost their worker and were taken back.", recovered, kind._meta.verbose_name)
    is_empty = cache(lambda queue: length(queue) == 0)
    for kind in kinds():
        if lost := [pk for pk, queue in _unsent(kind) if is_empty(queue)]:
            send(kind, lost)
    swept.send(sender=None)


def _unsent(kind: type[Job]) -> list[tuple[int, str]]:
    """The due rows that no message may stand for, with their queues: only where one is empty can any have been lost."""
    long_ago = timezone.now() - PATIENCE
    waiting = kind.objects.due().filter(Q(sent_at__isnull=True) | Q(sent_at__lt=long_ago))
    return list(waiting.order_by("pk").values_list("pk", kind.queue))


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
