"""Thin tasks: load a row by its id, call a service. They run in worker processes only."""

from celery import shared_task

from classifier.services.admissions import run_admission
from classifier.services.predictions import run_prediction
from classifier.services.queueing import ADMIT, PREDICT


@shared_task(name=PREDICT, soft_time_limit=None, time_limit=180)
def predict(prediction_id: int) -> None:
    """Needs a queued prediction; leaves it done, failed, or queued again."""
    run_prediction(prediction_id=prediction_id)


@shared_task(name=ADMIT, time_limit=900)
def admit(admission_id: int) -> None:
    """Needs a queued admission; leaves it done, and its record ready or refused."""
    run_admission(admission_id=admission_id)
