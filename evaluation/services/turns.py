"""Turns at long work on a batch queue: each ends for people at once, for others soon, and in minutes anyway."""

import time
import uuid
from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from django.db import transaction

from classifier.models import ModelRecord
from classifier.services.predictions.waiting import person_waits
from evaluation.models import Evaluation, MapCheck, SettingCheck
from evaluation.models.evaluation import Stage
from evaluation.services.queueing import send_on_commit
from skinsite.jobs import Failure, State, heartbeat

TURN_SECONDS = 10.0
LONGEST_TURN = 300.0
"""A turn ends even if nobody waits: a task that runs for an hour is killed."""
BATCH_MS = 150.0
LARGEST_BATCH = 16
UNKNOWN_MS = 60.0


class _TakenAway(Exception):
    """The row was cancelled or given to another worker."""


class _Others(Exception):
    """Somebody else's work comes first now, or its own next turn; what is known is stored."""


class Turn(ABC):
    """One worker's turn at a check: a job with a model, a queue, `done`, `total` and a `document`."""

    def __init__(self, check: Any, token: uuid.UUID, *, gives_way: bool) -> None:
        self.check, self.token, self.gives_way = check, token, gives_way
        self.model: ModelRecord = check.model
        self.began = time.monotonic()
        self.batch = batch_size(self.model, LARGEST_BATCH)

    @staticmethod
    def person_first(check: Any) -> bool:
        """Whether the check has to wait for a person now."""
        return person_waits(check.model.framework)

    @abstractmethod
    def take(self) -> dict[str, Any]:
        """Go on with what is stored and return the whole document; calls `give_way` between its steps."""

    def give_way(self, *, amid: bool = False) -> None:
        """End the turn for a person at once, for others' work after some seconds, for itself after minutes.

        Amid a step only a person ends it, so that slow work finishes at least one step in a turn.
        """
        late = not amid and is_over(self.check, self.began)
        if self.gives_way and (late or self.person_first(self.check)):
            raise _Others

    def take_in_hand(self) -> None:
        """The work itself begins: a worker that is lost from now on is a death, one lost while loading is none."""
        if not self.check.in_hand:
            self.renew(in_hand=True)

    def renew(self, **fields: Any) -> None:
        """Prolong the lease and write the fields; ends the turn where the row is no longer ours."""
        for name, value in fields.items():
            setattr(self.check, name, value)
        if not type(self.check).objects.renew(self.check.pk, self.token, **fields):
            raise _TakenAway


def run_turn(rows: Any, pk: int, kind: type[Turn], *, gives_way: bool) -> None:
    """queued -> queued again (others wait), done with its document, or failed with a reason."""
    check = rows.filter(pk=pk, state=State.QUEUED).select_related("model", "data_set").first()
    if check is None:
        return
    if gives_way and kind.person_first(check):
        _send_again(check)
        return
    token = rows.claim(pk, in_hand=False)
    if token is None:
        return
    try:
        with heartbeat(rows, pk, token):
            document = kind(check, token, gives_way=gives_way).take()
        rows.finish(pk, token, document=document)
    except _TakenAway:
        return
    except _Others:
        with transaction.atomic():
            if rows.give_way(pk, token):
                _send_again(check)
    except Failure as failure:
        rows.fail(pk, token, failure)
    except Exception:
        rows.stumble(pk, token)
        raise


def _send_again(check: Any) -> None:
    """What nobody asked for waits until the sweeper sends it: it may have to wait long, and must not go in circles."""
    if check.owner_id is not None:
        send_on_commit(check, queue=check.queue)


def batch_size(model: ModelRecord, most: int) -> int:
    """As many images as about 150 ms allow, so that a person who comes meanwhile hardly notices."""
    one = float((model.measured or {}).get("predict_ms") or UNKNOWN_MS)
    return int(np.clip(BATCH_MS / one, 1, most))


def is_over(job: Any, began: float) -> bool:
    """Whether a turn that began then, on the monotonic clock, has to end by its length or for others."""
    spent = time.monotonic() - began
    return spent > LONGEST_TURN or (spent > TURN_SECONDS and _others_wait(job))


def _others_wait(job: Any) -> bool:
    """Whether somebody's evaluation or check waits for the same workers; nobody asked for those at admission."""
    rows = (
        Evaluation.objects.next_of_each_owner().filter(stage=Stage.PREDICTING),
        MapCheck.objects.filter(owner__isnull=False),
        SettingCheck.objects.all(),
    )
    waiting = (kind.filter(state=State.QUEUED, model__framework=job.model.framework) for kind in rows)
    return any((kind.exclude(pk=job.pk) if kind.model is type(job) else kind).exists() for kind in waiting)
