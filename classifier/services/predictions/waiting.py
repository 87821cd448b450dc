"""How much of a person is open, how long it takes, and how much may be computed before the next one is looked for."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from django.db.models import Avg, F, Q
from django.utils import timezone

from classifier.models import ExplanationJob, ModelRecord, Prediction
from skinsite.jobs import OPEN, Job, State

RECENT = 20
UNKNOWN_SECONDS = 1.0
BATCH_MS = 150.0
UNKNOWN_MS = 60.0


def batch_size(model: ModelRecord, most: int) -> int:
    """As many images as about 150 ms allow, so that a person who comes meanwhile hardly notices."""
    one = float((model.measured or {}).get("predict_ms") or UNKNOWN_MS)
    return int(np.clip(BATCH_MS / one, 1, most))


def open_work(owner: Any) -> int:
    """How many predictions and explanations of a person are queued or running."""
    return sum(
        rows.visible_to(owner).filter(state__in=OPEN).count() for rows in (Prediction.objects, ExplanationJob.objects)
    )


def queue_position(prediction: Prediction) -> int:
    """The place in the queue of its framework, from 1; the one that is running is counted as before it."""
    before = Q(queued_at__lt=prediction.queued_at) | Q(queued_at=prediction.queued_at, pk__lt=prediction.pk)
    same_queue = Prediction.objects.filter(state__in=OPEN, model__framework=prediction.model.framework)
    return same_queue.filter(before).exclude(pk=prediction.pk).count() + 1


def seconds_to_wait(prediction: Prediction, position: int) -> float:
    """An estimate from the last predictions of the same model."""
    recent = Prediction.objects.filter(model=prediction.model_id, state=State.DONE).order_by("-pk")[:RECENT]
    spent = recent.aggregate(mean=Avg(F("predict_ms") + F("explain_ms")))["mean"]
    return position * (UNKNOWN_SECONDS if spent is None else spent / 1000)


def seconds_running(job: Job) -> float:
    return (timezone.now() - (job.started_at or timezone.now())).total_seconds()


def positions_in(predictions: Iterable[Prediction]) -> dict[int, int]:
    """Return {pk: place in the queue, from 1} for those that are queued; at most one query a framework."""
    queued = [row for row in predictions if row.state == State.QUEUED]
    positions: dict[int, int] = {}
    for framework in {row.model.framework for row in queued}:
        waiting = Prediction.objects.filter(state__in=OPEN, model__framework=framework).order_by("queued_at", "pk")
        places = {pk: place for place, pk in enumerate(waiting.values_list("pk", flat=True), start=1)}
        positions |= {row.pk: places[row.pk] for row in queued if row.pk in places}
    return positions
