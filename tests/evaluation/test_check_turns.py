"""What restarts while a check loads its model cost it, and what each turn reads."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from evaluation.models import MapCheck
from evaluation.services.map_checks import measure
from evaluation.services.map_checks.document import drawn_of
from evaluation.services.map_checks.measure import run_map_check
from skinsite.jobs import State
from tests.evaluation.test_map_check import alice, check, fewer, spots  # noqa: F401

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quiet", "fewer")]


def dies(*_: Any) -> None:
    raise KeyboardInterrupt


def killed(pk: int) -> MapCheck:
    """A worker takes the check and is lost."""
    with pytest.raises(KeyboardInterrupt):
        run_map_check(check_id=pk)
    MapCheck.objects.filter(pk=pk).update(lease_until=timezone.now() - timedelta(minutes=1))
    assert MapCheck.objects.recover() == 1
    return MapCheck.objects.get(pk=pk)


def test_workers_lost_while_the_model_is_loaded_are_no_deaths(check, monkeypatch):  # noqa: F811
    monkeypatch.setattr(measure, "load_classifier", dies)
    for _ in range(2):
        row = killed(check.pk)
        assert (row.state, row.worker_losses, row.attempts) == (State.QUEUED, 0, 0)


def test_workers_lost_with_a_batch_in_hand_are(check, monkeypatch):  # noqa: F811
    monkeypatch.setattr(measure.read_image, "pixels_of", dies)
    assert killed(check.pk).worker_losses == 1
    assert killed(check.pk).error_code == "worker-died"


def test_drawing_reads_of_the_whole_data_set_only_what_it_needs(check):  # noqa: F811
    with CaptureQueriesContext(connection) as asked:
        drawn = drawn_of(check)
    whole, few = (query["sql"] for query in asked.captured_queries)
    assert "attribution" not in whole
    assert "attribution" in few
    assert not any(image.get_deferred_fields() for image in drawn.mapped)
