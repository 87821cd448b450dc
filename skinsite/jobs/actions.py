"""What a person does with a job: start it, cancel it, try it again, delete it."""

from django.db import IntegrityError, transaction

from skinsite.jobs.send import send_next_on_commit, send_on_commit
from skinsite.jobs.state import Job
from skinsite.refusal import Conflict


def start(job: Job) -> None:
    """Write a new job, which is sent after the commit.

    Raises Conflict where its owner may have no more open, and where the database knows an open one like it.
    """
    try:
        with transaction.atomic():
            _check_room(job)
            job.save(force_insert=True)
            send_on_commit(job)
    except IntegrityError as error:
        raise Conflict(job.open_already) from error


def cancel(job: Job) -> None:
    """queued, running -> cancelled. Raises Conflict in another state."""
    with transaction.atomic():
        if not type(job).objects.filter(pk=job.pk).cancel():
            raise Conflict(f"This {job.noun} is {job.state}: only one that waits or runs can be cancelled.")
        send_next_on_commit(job)


def retry(job: Job) -> None:
    """failed, cancelled -> queued; what is stored of its work is kept.

    Raises Conflict in another state, and as `start` does.
    """
    try:
        with transaction.atomic():
            _check_room(job)
            if not job.reopen():
                raise Conflict(job.not_again)
            send_on_commit(job)
    except IntegrityError as error:
        raise Conflict(job.open_already) from error


def delete(job: Job) -> None:
    """Delete a job with all that hangs on it."""
    with transaction.atomic():
        job.delete()
        send_next_on_commit(job)


def _check_room(job: Job) -> None:
    if full := job.room_for():
        raise Conflict(full)
