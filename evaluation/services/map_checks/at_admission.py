"""A model's maps are checked once on drawn pictures, by itself, when nobody else needs the machine."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from classifier.models import ExplanationJob, ModelRecord, Prediction
from classifier.models.model_record import Framework
from classifier.services.predictions.warm_up import ready_mark
from evaluation.models import MapCheck
from skinsite.jobs import OPEN

QUIET = timedelta(seconds=20)
AFTER_THE_START = timedelta(seconds=30)
SEED = 0


def queue_admission_check(**_signal: Any) -> None:
    """Queue the check of one ready model that has none, unless one is open; called at the end of each sweep.

    The sweep after it sends the message. Models that became ready before there was this check are found too.
    """
    if not settings.SKINSITE_MAP_CHECKS or MapCheck.objects.at_admission().filter(state__in=OPEN).exists():
        return
    unchecked = ModelRecord.objects.ready().exclude(layer="")
    model = unchecked.exclude(pk__in=MapCheck.objects.at_admission().values("model")).order_by("pk").first()
    if model is None or not _workers_are_warm():
        return
    try:
        with transaction.atomic():
            MapCheck.objects.create(model=model, seed=SEED)
    except IntegrityError:
        return  # another sweeper was quicker


def people_are_here() -> bool:
    """Whether anybody, for whatever framework, has asked for something in the last seconds or still waits for it."""
    for rows in (Prediction.objects.all(), ExplanationJob.objects.all()):
        newest = rows.order_by("-pk").values_list("queued_at", flat=True).first()
        if rows.filter(state__in=OPEN).exists() or (newest and newest > timezone.now() - QUIET):
            return True
    return False


def _workers_are_warm() -> bool:
    """The portal has said that it is ready, and people have had some seconds to be first."""
    marks = [ready_mark(framework) for framework in Framework.values]
    before = (timezone.now() - AFTER_THE_START).timestamp()
    return all(mark.exists() and mark.stat().st_mtime < before for mark in marks)
