"""Map checks: started, cancelled, tried again."""

import secrets
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction

from classifier.models import ModelRecord
from classifier.models.model_record import ModelState
from evaluation.metrics.maps.rules import FEWEST_IMAGES
from evaluation.models import DataSet, MapCheck
from evaluation.services.queueing import send_on_commit
from skinsite.jobs import OPEN, State
from skinsite.refusal import Conflict, Problem, Refusal


def start_map_check(*, owner: Any, data_set: DataSet, model: ModelRecord, seed: int | None = None) -> MapCheck:
    """Queue a check. Raises Refusal for what cannot be measured, Conflict if the same is open, or too many are."""
    if problems := [*_problems_of_data(data_set), *_problems_of_model(model)]:
        raise Refusal(*problems)
    try:
        with transaction.atomic():
            _check_room(owner)
            check = MapCheck.objects.create(
                owner=owner, data_set=data_set, model=model, seed=secrets.randbelow(10**6) if seed is None else seed
            )
            send_on_commit(check, queue=check.queue)
    except IntegrityError as error:
        raise _open_already(model, data_set) from error
    return check


def _check_room(owner: Any) -> None:
    """Within the transaction that opens one more. Raises Conflict where the owner has too many open."""
    get_user_model().objects.select_for_update().get(pk=owner.pk)
    count, limit = MapCheck.objects.filter(owner=owner, state__in=OPEN).count(), settings.OPEN_MAP_CHECKS_A_USER
    if count >= limit:
        raise Conflict(f"{limit} of your checks of heat maps may be open, and {count} are: wait or cancel one.")


def _open_already(model: ModelRecord, data_set: DataSet | None) -> Conflict:
    return Conflict(f"You have the maps of {model} checked on {data_set} already: wait for it or cancel it.")


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
    """failed, cancelled -> queued; what is measured is kept. Raises Conflict in another state, or as the start does."""
    try:
        with transaction.atomic():
            if check.owner is not None:
                _check_room(check.owner)
            if not MapCheck.objects.filter(pk=check.pk).retry():
                raise Conflict(f"This check is {check.state}: only a failed or cancelled one can be tried again.")
            send_on_commit(check, queue=check.queue)
    except IntegrityError as error:
        raise _open_already(check.model, check.data_set) from error
