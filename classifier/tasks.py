"""Thin tasks: load a row by its id, call a service. They run in worker processes only."""

import logging
import os

from celery import shared_task
from celery.signals import worker_process_init

from classifier.inference.engines import EngineError
from classifier.models import Admission, ExplanationJob, Prediction
from classifier.services.maps.explain import run_explanation
from classifier.services.models.register import run_admission
from classifier.services.predictions.predict import run_prediction
from classifier.services.predictions.warm_up import warm_up

logger = logging.getLogger(__name__)


@worker_process_init.connect
def prepare(**kwargs: object) -> None:
    """A fresh worker process loads its framework before it takes a task; without it, the first task does."""
    if framework := os.environ.get("SKINSITE_FRAMEWORK"):
        try:
            warm_up(framework=framework)
        except EngineError as error:
            logger.critical("This worker answers nothing: %s. %s", error, error.hint)
        except Exception:
            logger.exception("The default models of %s could not be loaded.", framework)


@shared_task(name=Prediction.task, soft_time_limit=None, time_limit=180)
def predict(prediction_id: int) -> None:
    """Needs a queued prediction; leaves it done, failed, or queued again."""
    run_prediction(prediction_id=prediction_id)


@shared_task(name=ExplanationJob.task, soft_time_limit=None, time_limit=300)
def explain(job_id: int) -> None:
    """Needs a queued explanation; leaves its maps stored and the job done, failed, or queued again."""
    run_explanation(job_id=job_id)


@shared_task(name=Admission.task, time_limit=900)
def admit(admission_id: int) -> None:
    """Needs a queued admission; leaves it done, and its record ready or refused."""
    run_admission(admission_id=admission_id)
