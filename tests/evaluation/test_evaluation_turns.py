"""How a turn at an evaluation ends, and what errors and large pictures do to it."""

from typing import Any

import pytest
from django.db import OperationalError

from evaluation.models import DataSet, Evaluation, FailedImage, MapCheck, SettingCheck
from evaluation.services.evaluations import run
from evaluation.services.evaluations.run import run_evaluation
from evaluation.services.evaluations.start import start_evaluation
from skinsite.jobs import State, turns
from tests.factories.data_sets import import_data_set, seven_labels
from tests.factories.evaluations import FakeNetwork, run_to_the_end, use
from tests.factories.rows import SEVEN, make_model, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_broker", "no_figures", "few_replicates")]
IMAGES = 28


@pytest.fixture
def data_set(db) -> DataSet:
    return import_data_set(seven_labels(IMAGES))


@pytest.fixture
def network(monkeypatch) -> FakeNetwork:
    return use(monkeypatch, FakeNetwork(SEVEN))


@pytest.fixture
def evaluation(data_set, network) -> Evaluation:
    return start_evaluation(owner=data_set.owner, data_set=data_set, model=make_model(measured={"predict_ms": 10.0}))


def test_a_turn_ends_even_if_nobody_waits(
    evaluation, network, monkeypatch, no_broker, django_capture_on_commit_callbacks
):
    monkeypatch.setattr(turns, "LONGEST_SLICE_SECONDS", 0.0)
    with django_capture_on_commit_callbacks(execute=True):
        run_evaluation(evaluation_id=evaluation.pk)
    row = Evaluation.objects.get()
    assert (row.state, row.attempts, network.batches) == (State.QUEUED, 0, 1)
    assert no_broker == [(Evaluation.task, [row.pk], "keras-batch")]
    run_evaluation(evaluation_id=evaluation.pk, alone=True)
    assert (Evaluation.objects.get().done, network.pictures) == (IMAGES, IMAGES)


@pytest.mark.parametrize("kind", [MapCheck, SettingCheck])
def test_a_turn_ends_soon_for_a_check_that_waits(kind, evaluation, network, monkeypatch):
    monkeypatch.setattr(turns, "SLICE_SECONDS", 0.0)
    kind.objects.create(owner=make_user("bob"), data_set=evaluation.data_set, model=make_model("T", framework="torch"))
    other = make_model("Other")
    cancelled = {"state": State.CANCELLED, "finished_at": evaluation.queued_at}
    kind.objects.create(owner=make_user("charlie"), data_set=evaluation.data_set, model=other, **cancelled)
    run_evaluation(evaluation_id=evaluation.pk)
    assert network.pictures == IMAGES, "a check of the other framework or a cancelled one waits for nothing here"
    again = start_evaluation(
        owner=evaluation.owner, data_set=import_data_set(seven_labels(IMAGES), seed=99), model=other
    )
    Evaluation.objects.exclude(pk=again.pk).delete()
    kind.objects.create(owner=make_user("dora"), data_set=evaluation.data_set, model=other)
    run_evaluation(evaluation_id=again.pk)
    row = Evaluation.objects.get(pk=again.pk)
    assert row.state == State.QUEUED
    assert 0 < row.done < IMAGES


def test_an_error_of_the_database_makes_no_picture_a_suspect(evaluation, monkeypatch):
    packed, errors = run.stored_predictions.packed, [OperationalError("locked")] * 2

    def fails_twice(answer: Any) -> bytes:
        if errors:
            raise errors.pop()
        return packed(answer)

    monkeypatch.setattr(run.stored_predictions, "packed", fails_twice)
    for _ in range(2):
        with pytest.raises(OperationalError):
            run_evaluation(evaluation_id=evaluation.pk)
    done = run_to_the_end(evaluation)
    assert (done.state, done.done, done.quarantined) == (State.DONE, IMAGES, [])
    assert not FailedImage.objects.exists()


@pytest.mark.parametrize(("pictures", "batches"), [(28, 4), (3, 10), (0.5, 28)])
def test_a_batch_of_large_pictures_is_cut(evaluation, network, monkeypatch, pictures, batches):
    monkeypatch.setattr(run, "BATCH_BYTES", int(pictures * 64 * 48 * 3), raising=False)
    assert run_to_the_end(evaluation).done == IMAGES
    assert (network.batches, network.pictures) == (batches, IMAGES)
