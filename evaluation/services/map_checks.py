"""Map checks: started, cancelled, tried again."""

import secrets
from typing import Any

from django.db import IntegrityError, transaction

from classifier.models import ModelRecord
from classifier.models.model_record import ModelState
from evaluation.metrics.map_rules import FEWEST_IMAGES
from evaluation.models import DataSet, MapCheck
from evaluation.services.queueing import send_on_commit
from skinsite.jobs import State
from skinsite.refusal import Conflict, Problem, Refusal


def start_map_check(*, owner: Any, data_set: DataSet, model: ModelRecord, seed: int | None = None) -> MapCheck:
    """Queue a check. Raises Refusal for what cannot be measured, Conflict if the same is open."""
    if problems := [*_problems_of_data(data_set), *_problems_of_model(model)]:
        raise Refusal(*problems)
    try:
        with transaction.atomic():
            check = MapCheck.objects.create(
                owner=owner, data_set=data_set, model=model, seed=secrets.randbelow(10**6) if seed is None else seed
            )
            send_on_commit(check, queue=check.queue)
    except IntegrityError as error:
        raise Conflict(
            f"You have the maps of {model} checked on {data_set} already: wait for it or cancel it."
        ) from error
    return check


def _problems_of_data(data_set: DataSet) -> list[Problem]:
    if data_set.state != State.DONE:
        return [Problem("dataset", f"{data_set} is {data_set.state}: choose a data set whose import is done.")]
    if (images := data_set.images.count()) < FEWEST_IMAGES:
        message = (
            f"{data_set} has {images} images: a check of maps needs at least {FEWEST_IMAGES}. Choose a larger one."
        )
        return [Problem("dataset", message)]
    return []


def _problems_of_model(model: ModelRecord) -> list[Problem]:
    if model.state != ModelState.READY:
        return [Problem("model", f"{model} is {model.state}: only a ready model's maps can be checked.")]
    if not model.layer:
        message = f"{model} has no layer that keeps the picture's geometry, so it draws no maps that could be checked."
        return [Problem("model", message)]
    return []


def cancel_map_check(*, check: MapCheck) -> None:
    """queued, running -> cancelled. Raises Conflict in another state."""
    if not MapCheck.objects.filter(pk=check.pk).cancel():
        raise Conflict(f"This check is {check.state}: only one that waits or runs can be cancelled.")


def retry_map_check(*, check: MapCheck) -> None:
    """failed, cancelled -> queued; what is measured is kept. Raises Conflict in another state."""
    with transaction.atomic():
        if not MapCheck.objects.filter(pk=check.pk).retry():
            raise Conflict(f"This check is {check.state}: only a failed or cancelled one can be tried again.")
        send_on_commit(check, queue=check.queue)
