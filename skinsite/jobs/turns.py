"""Time slices of long work: each ends for people at once, for others soon, and in minutes anyway."""

import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar, NoReturn

from django.db import transaction
from django.utils import timezone

from skinsite.jobs.attempt import LostJob, attempt
from skinsite.jobs.long_job import LongJob
from skinsite.jobs.send import send_next_on_commit, send_on_commit
from skinsite.jobs.state import BATCH
from skinsite.jobs.sweep import kinds

SLICE_SECONDS = 10.0
LONGEST_SLICE_SECONDS = 300.0
"""A slice ends even if nobody waits: a task that runs for an hour is killed."""
Fields = dict[str, Any]


class _Requeued(Exception):
    """The slice ends before the work does: what is known is stored, and these fields are written with its end."""

    def __init__(self, fields: Fields) -> None:
        super().__init__()
        self.fields = fields


class TimeSlice(ABC):
    """One worker's time at a long job. A subclass does the work in `run`, and calls `make_way` between its steps."""

    kind: ClassVar[type[LongJob]]
    in_hand: ClassVar[bool] = False
    """Whether the work itself begins with the claim: then a worker that is lost counts from there on."""

    def __init__(self, job: Any, token: uuid.UUID, queue: str, *, alone: bool) -> None:
        self.job, self.token, self.queue, self.alone = job, token, queue, alone
        self.began = time.monotonic()

    @abstractmethod
    def run(self) -> Fields:
        """Go on with what is stored, and return the fields that the finished row gets."""

    def finish(self, fields: Fields) -> bool:
        """running -> done; False where the row is no longer ours."""
        with transaction.atomic():
            send_next_on_commit(self.job)
            return bool(self.kind.objects.finish(self.job.pk, self.token, **fields))

    @classmethod
    def must_wait(cls, job: Any, queue: str) -> bool:
        """Whether the job has to wait for a person now."""
        return person_waits(queue)

    def make_way(self, *, amid: bool = False) -> None:
        """End the slice for a person at once, for others' work after some seconds, for itself after minutes.

        Amid a step only a person ends it, so that slow work finishes at least one step in a slice.
        """
        if not self.alone and ((not amid and self._is_over()) or self.must_wait(self.job, self.queue)):
            self.requeue()

    def requeue(self, **fields: Any) -> NoReturn:
        """End the slice here: the job goes on when it is next in the queue that is its own then."""
        raise _Requeued(fields)

    def begin(self, **fields: Any) -> None:
        """Save, and note when the first slice began."""
        self.save(begun_at=self.job.begun_at or timezone.now(), **fields)

    def take_in_hand(self) -> None:
        """The work itself begins: a worker that is lost from now on counts, one that is lost while loading does not."""
        if not self.job.in_hand:
            self.save(in_hand=True)

    def advance(self, **fields: Any) -> None:
        """Save a step that succeeded: errors and lost workers before it do not count any more."""
        self.save(**fields, attempts=1, worker_losses=0)

    def save(self, **fields: Any) -> None:
        """Prolong the lease and write the fields; ends the slice where the row is no longer ours."""
        for name, value in fields.items():
            setattr(self.job, name, value)
        if not self.kind.objects.renew(self.job.pk, self.token, **fields):
            raise LostJob

    def _is_over(self) -> bool:
        spent = time.monotonic() - self.began
        return spent > LONGEST_SLICE_SECONDS or (spent > SLICE_SECONDS and others_wait(self.job, self.queue))


def run_slice(work: type[TimeSlice], pk: int, *, alone: bool = False) -> None:
    """queued -> queued again (others are next), done with its result, or failed with a reason.

    `alone` says that nobody waits for this process, such as a command's: it gives way to nobody.
    """
    rows = work.kind.objects.due().filter(pk=pk).select_related(*work.kind.related).defer("document")
    job = rows.annotate(queue_name=work.kind.queue).first()
    if job is None:
        return
    if not alone and work.must_wait(job, job.queue_name):
        _send_again(job)
        return

    def run(token: uuid.UUID) -> Callable[[], object]:
        time_slice = work(job, token, job.queue_name, alone=alone)
        try:
            return partial(time_slice.finish, time_slice.run())
        except _Requeued as requeued:
            return partial(_requeue, job, token, requeued.fields)

    attempt(job, run, in_hand=work.in_hand)


def person_waits(queue: str) -> bool:
    """Whether anything is due for people on the interactive queue of the workers that serve this batch queue."""
    interactive = queue.removesuffix(BATCH)
    rows = (kind.objects.due().in_queue(interactive) for kind in kinds() if not issubclass(kind, LongJob))
    return interactive != queue and any(waiting.exists() for waiting in rows)


def others_wait(job: LongJob, queue: str) -> bool:
    """Whether other work that a person asked for is due on this queue."""
    for kind in kinds():
        if issubclass(kind, LongJob):
            rows = kind.objects.due().in_queue(queue).filter(owner__isnull=False)
            if (rows.exclude(pk=job.pk) if kind is type(job) else rows).exists():
                return True
    return False


def _requeue(job: LongJob, token: uuid.UUID, fields: Fields) -> None:
    with transaction.atomic():
        if type(job).objects.requeue(job.pk, token, **fields):
            _send_again(job)


def _send_again(job: LongJob) -> None:
    """What nobody asked for waits until the sweeper sends it: it may have to wait long, and must not go in circles."""
    if job.owner_id is not None:
        send_on_commit(job)
