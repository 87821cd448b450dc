"""Map checks: what can be measured, and its start."""

import secrets
from collections.abc import Iterator
from typing import Any

from classifier.models import ModelRecord
from evaluation.metrics.maps.rules import FEWEST_IMAGES
from evaluation.models import DataSet, MapCheck
from evaluation.services.ready import not_ready
from skinsite.jobs import actions
from skinsite.refusal import Problem, Refusal


def start_map_check(*, owner: Any, data_set: DataSet, model: ModelRecord, seed: int | None = None) -> MapCheck:
    """Queue a check. Raises Refusal for what cannot be measured, Conflict if the same is open, or too many are."""
    if problems := not_ready(data_set, model) or list(_unmeasurable(data_set, model)):
        raise Refusal(*problems)
    check = MapCheck(
        owner=owner, data_set=data_set, model=model, seed=secrets.randbelow(10**6) if seed is None else seed
    )
    actions.start(check)
    return check


def _unmeasurable(data_set: DataSet, model: ModelRecord) -> Iterator[Problem]:
    if (images := data_set.images.count()) < FEWEST_IMAGES:
        needed = f"a check of maps needs at least {FEWEST_IMAGES}. Choose a larger one."
        yield Problem("dataset", f"{data_set} has {images} images: {needed}")
    if not model.layer:
        message = f"{model} has no layer that keeps the picture's geometry, so it draws no maps that could be checked."
        yield Problem("model", message)
