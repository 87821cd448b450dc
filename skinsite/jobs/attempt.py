"""A worker's attempt at one job: claimed once, kept alive by a heart-beat, ended in one of the states."""

import logging
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection

from skinsite.jobs.send import send_next_on_commit
from skinsite.jobs.state import Failure, Job, JobQuerySet

logger = logging.getLogger(__name__)
HEARTBEAT_SECONDS = 5.0


class LostJob(Exception):
    """The row was cancelled, or given to another worker: what this one does no longer counts."""


def attempt(job: Job, work: Callable[[uuid.UUID], Callable[[], object]], *, in_hand: bool = False) -> None:
    """queued -> what `work` makes of it, or failed with the reason of a Failure; nothing where another was quicker.

    `work` gets the token that every step must name, and returns what is left to do once the heart has stopped: to write
    the end. `in_hand` as in `claim`. An unexpected error puts the row back, or fails it after the last attempt, and is
    raised again, for the log.
    """
    rows = type(job).objects
    token = rows.claim(job.pk, in_hand=in_hand)
    if token is None:
        return
    try:
        with heartbeat(rows.all(), job.pk, token):
            end = work(token)
        end()
    except LostJob:
        return
    except Failure as failure:
        rows.fail(job.pk, token, failure)
        send_next_on_commit(job)
    except Exception:
        rows.retry_or_fail(job.pk, token)
        send_next_on_commit(job)
        raise


@contextmanager
def heartbeat(rows: JobQuerySet, pk: int, token: uuid.UUID) -> Iterator[None]:
    """Renew the lease of a running row every five seconds, from a thread of its own, until the block ends."""
    ended = threading.Event()

    def beat() -> None:
        try:
            while not ended.wait(HEARTBEAT_SECONDS) and _beats(rows, pk, token):
                pass
        finally:
            connection.close()

    thread = threading.Thread(target=beat, name=f"heartbeat-{pk}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _beats(rows: JobQuerySet, pk: int, token: uuid.UUID) -> bool:
    """Renew a lease; a database that is busy for once is no reason to stop beating."""
    try:
        return rows.renew(pk, token)
    except OperationalError:
        logger.warning("The lease of %s %s could not be renewed; the next beat tries again.", rows.model.__name__, pk)
        connection.close()  # of this thread; it may be the connection that is broken
        return True
