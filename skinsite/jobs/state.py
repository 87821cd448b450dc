"""Job: the one abstract model with the one state machine.

The database is the truth and the broker only a hint: a row is written first, a message that carries its id is sent
after the commit, and every step from state to state is one UPDATE that names the state (and, for a running row, the
token) it starts from. Zero changed rows mean that somebody else was quicker.

    queued -> running -> done | failed        queued, running -> cancelled
    running -> queued (its worker was lost, an error worth another attempt, or others are next)
    failed, cancelled -> queued (retry)
"""

import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import F, Q, Value
from django.db.models.expressions import Combinable
from django.utils import timezone

LEASE = timedelta(seconds=30)
MAX_ATTEMPTS = 3
MAX_WORKER_LOSSES = 2
DEFAULT_QUEUE = "default"
BATCH = "-batch"
"""Ends the name of a queue of long work; without it, it is the queue of the same workers for people who wait."""


class State(models.TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


OPEN = (State.QUEUED, State.RUNNING)
FINAL = (State.DONE, State.FAILED, State.CANCELLED)


@dataclass(eq=False)
class Failure(Exception):
    """A failure written for the person who reads the page. Any other exception is unexpected, and logged."""

    code: str
    message: str
    hint: str = ""


WORKER_DIED = Failure(
    "worker-died",
    "The worker process died twice with this in its hands.",
    "Try again once. If it happens again, the image or the model is at fault: tell an administrator.",
)
UNEXPECTED = Failure(
    "unexpected",
    f"An unexpected error, {MAX_ATTEMPTS} times in a row.",
    "Try again later. If it stays, an administrator finds the reason in the log.",
)


class JobQuerySet(models.QuerySet[Any]):
    """The transitions, each one conditional UPDATE that says whether it happened."""

    def due(self) -> Self:
        """The queued ones whose turn it is."""
        return self.filter(state=State.QUEUED)

    def in_queue(self, name: str) -> Self:
        """Those that are sent to the queue of this name."""
        return self.alias(queue_name=self.model.queue).filter(queue_name=name)

    def claim(self, pk: int, *, in_hand: bool) -> uuid.UUID | None:
        """queued -> running. Return the token that every later step must name, or None if another worker was quicker.

        `in_hand` says that the work itself begins now; while a model is still being loaded, it has not.
        """
        token, now = uuid.uuid4(), timezone.now()
        won = self.filter(pk=pk, state=State.QUEUED).update(
            state=State.RUNNING,
            token=token,
            lease_until=now + LEASE,
            in_hand=in_hand,
            started_at=now,
            attempts=F("attempts") + 1,
        )
        return token if won else None

    def owned(self, pk: int, token: uuid.UUID) -> Self:
        return self.filter(pk=pk, token=token, state=State.RUNNING)

    def renew(self, pk: int, token: uuid.UUID, **fields: Any) -> bool:
        """Prolong the lease; False when the row is no longer ours."""
        return bool(self.owned(pk, token).update(lease_until=timezone.now() + LEASE, **fields))

    def finish(self, pk: int, token: uuid.UUID, **result: Any) -> bool:
        """running -> done, with its result."""
        return bool(self.owned(pk, token).update(**_final(State.DONE), **result))

    def fail(self, pk: int, token: uuid.UUID, failure: Failure) -> bool:
        """running -> failed, with the reason."""
        return bool(self.owned(pk, token).update(**_final(State.FAILED), **_error(failure)))

    def retry_or_fail(self, pk: int, token: uuid.UUID) -> bool:
        """running -> queued after an unexpected error, or failed after the last attempt."""
        owned = self.owned(pk, token)
        return bool(
            owned.filter(attempts__lt=MAX_ATTEMPTS).update(**_queued())
            or owned.update(**_final(State.FAILED), **_error(UNEXPECTED))
        )

    def requeue(self, pk: int, token: uuid.UUID, **fields: Any) -> bool:
        """running -> queued by its own will, at no cost: it goes on when others had their turn."""
        return bool(self.owned(pk, token).update(**_queued(), attempts=0, worker_losses=0, **fields))

    def cancel(self) -> int:
        """queued, running -> cancelled. A worker that is at it finds its token gone."""
        return self.filter(state__in=OPEN).update(**_final(State.CANCELLED))

    def retry(self, *, done: bool = False) -> int:
        """failed, cancelled (and where it is asked for, done) -> queued, as if new."""
        fresh = {"queued_at": timezone.now(), "attempts": 0, "worker_losses": 0, "sent_at": None, "finished_at": None}
        cleared = {"error_code": "", "error_message": "", "error_hint": ""}
        ended = FINAL if done else (State.FAILED, State.CANCELLED)
        return self.filter(state__in=ended).update(**_queued(), **fresh, **cleared)

    def recover(self) -> int:
        """Take back what stopped beating: running -> queued, or failed when a second worker was lost with it in hand.

        A lost worker is no attempt of the job's own.
        """
        lost = self.filter(state=State.RUNNING, lease_until__lt=timezone.now())
        hopeless = lost.filter(in_hand=True, worker_losses__gte=MAX_WORKER_LOSSES - 1)
        failed = hopeless.update(**_final(State.FAILED), **_error(WORKER_DIED), worker_losses=F("worker_losses") + 1)
        again = _queued() | {"attempts": F("attempts") - 1, "sent_at": None}
        in_hand = lost.filter(in_hand=True).update(**again, worker_losses=F("worker_losses") + 1)
        return failed + in_hand + lost.filter(in_hand=False).update(**again)


def _queued() -> dict[str, Any]:
    return {"state": State.QUEUED, "token": None, "lease_until": None, "in_hand": False}


def _final(state: State) -> dict[str, Any]:
    return {"state": state, "token": None, "lease_until": None, "in_hand": False, "finished_at": timezone.now()}


def _error(failure: Failure) -> dict[str, str]:
    return {"error_code": failure.code, "error_message": failure.message, "error_hint": failure.hint}


class Job(models.Model):
    """Work that a worker does once. Times are set by the process that writes the row, in UTC."""

    task: ClassVar[str]
    """The name of the Celery task that takes a row's id."""
    queue: ClassVar[Combinable] = Value(DEFAULT_QUEUE)
    """Where a row is sent, as the database works it out of the row."""
    objects: Any
    """A manager of its JobQuerySet."""

    state = models.CharField(max_length=9, choices=State.choices, default=State.QUEUED)
    queued_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True, editable=False)
    finished_at = models.DateTimeField(null=True, editable=False)
    sent_at = models.DateTimeField(null=True, editable=False, help_text="When the last message was sent; a hint.")
    token = models.UUIDField(null=True, editable=False, help_text="Who holds the running row.")
    lease_until = models.DateTimeField(null=True, editable=False)
    in_hand = models.BooleanField(default=False, editable=False, help_text="The work itself has begun.")
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    worker_losses = models.PositiveSmallIntegerField(
        default=0, editable=False, help_text="Workers lost with this in hand."
    )
    error_code = models.CharField(max_length=60, blank=True, editable=False)
    error_message = models.TextField(blank=True, editable=False)
    error_hint = models.TextField(blank=True, editable=False)

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(name="%(class)s_state_is_known", condition=Q(state__in=State.values)),
            models.CheckConstraint(
                name="%(class)s_is_held_exactly_while_running",
                condition=Q(state=State.RUNNING, token__isnull=False, lease_until__isnull=False)
                | (~Q(state=State.RUNNING) & Q(token__isnull=True, lease_until__isnull=True, in_hand=False)),
            ),
            models.CheckConstraint(
                name="%(class)s_has_a_reason_exactly_when_failed",
                condition=(Q(state=State.FAILED) & ~Q(error_code="")) | (~Q(state=State.FAILED) & Q(error_code="")),
            ),
            models.CheckConstraint(
                name="%(class)s_has_an_end_exactly_when_final",
                condition=Q(state__in=FINAL, finished_at__isnull=False) | Q(state__in=OPEN, finished_at__isnull=True),
            ),
        ]

    @property
    def is_final(self) -> bool:
        return self.state in FINAL

    @property
    def can_retry(self) -> bool:
        return self.state in (State.FAILED, State.CANCELLED)

    @property
    def can_cancel(self) -> bool:
        return self.state in OPEN

    @property
    def noun(self) -> str:
        return str(self._meta.verbose_name)

    @property
    def not_again(self) -> str:
        """Why it cannot be tried again."""
        return f"This {self.noun} is {self.state}: only a failed or cancelled one can be tried again."

    @property
    def open_already(self) -> str:
        """Why the database refuses to have it open: there is another one like it."""
        return f"The same {self.noun} is open already: wait for it or cancel it."

    def room_for(self) -> str:
        """Say, within the transaction that opens this one, why its owner may not; nothing where there is room."""
        return ""

    def reopen(self) -> bool:
        """Queue it again; False in a state that does not allow it."""
        return bool(type(self).objects.filter(pk=self.pk).retry())

    def behind(self) -> Any:
        """Those whose turn may come when this one ends."""
        return type(self).objects.none()

    @property
    def error(self) -> dict[str, str] | None:
        """The reason as the API shows it, or None unless failed."""
        if self.state != State.FAILED:
            return None
        return {"code": self.error_code, "message": self.error_message, "hint": self.error_hint}
