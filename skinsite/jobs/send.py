"""Messages: after the commit, with an id and nothing else. The row is the truth, a message only a hint."""

import logging
from collections import defaultdict
from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from skinsite.celery import app
from skinsite.jobs.state import Job

logger = logging.getLogger(__name__)


def send_on_commit(*jobs: Job) -> None:
    """Send rows of one kind once they are written. One whose turn is later is sent when its turn comes."""
    if jobs:
        kind, pks = type(jobs[0]), [job.pk for job in jobs]
        transaction.on_commit(lambda: send(kind, pks))


def send_next_on_commit(job: Job) -> None:
    """Once the end of this one is written, send what waited for it."""
    transaction.on_commit(lambda: send(type(job), job.behind().values_list("pk", flat=True)))


def send(kind: type[Job], pks: Iterable[int]) -> None:
    """Send one message for each of these rows that is due, to the queue that is the row's own by now."""
    queues: dict[str, list[int]] = defaultdict(list)
    for pk, queue in kind.objects.filter(pk__in=pks).due().order_by("pk").values_list("pk", kind.queue):
        queues[queue].append(pk)
    for queue, due in queues.items():
        publish(kind.task, due, queue)
        kind.objects.filter(pk__in=due).update(sent_at=timezone.now())


def publish(task: str, pks: Iterable[int], queue: str) -> None:
    """Hand messages to the broker. One that is down loses nothing: the rows wait for the sweeper."""
    try:
        with app.connection_for_write() as connection, app.amqp.Producer(connection) as producer:
            for pk in pks:
                app.send_task(task, args=(pk,), queue=queue, producer=producer, ignore_result=True)
    except (OperationalError, OSError) as error:
        logger.warning("The broker does not answer (%s); the sweeper will send again.", error)
