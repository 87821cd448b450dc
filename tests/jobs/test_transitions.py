"""Each step of a job is one conditional UPDATE."""

from datetime import timedelta

import pytest
from django.db import IntegrityError
from django.utils import timezone

from classifier.models import Prediction
from skinsite.jobs import LEASE, MAX_ATTEMPTS, Failure, State
from tests.factories.rows import make_prediction

pytestmark = pytest.mark.django_db
RESULT = {"probabilities": {"mel": 0.25, "nv": 0.75}, "top_code": "nv", "top_probability": 0.75}


def fresh(row: Prediction) -> Prediction:
    return Prediction.objects.get(pk=row.pk)


def expire(row: Prediction) -> None:
    Prediction.objects.filter(pk=row.pk).update(lease_until=timezone.now() - timedelta(seconds=1))


def test_only_one_claim_wins():
    row = make_prediction()
    assert Prediction.objects.claim(row.pk, in_hand=True)
    assert Prediction.objects.claim(row.pk, in_hand=True) is None


def test_a_finished_row_keeps_its_result_when_the_task_comes_twice():
    row = make_prediction()
    token = Prediction.objects.claim(row.pk, in_hand=True)
    assert Prediction.objects.finish(row.pk, token, **RESULT)
    assert not Prediction.objects.finish(row.pk, token, **RESULT | {"top_code": "mel"})
    assert fresh(row).top_code == "nv"


def test_a_late_worker_cannot_finish_what_was_given_to_another():
    row = make_prediction()
    late = Prediction.objects.claim(row.pk, in_hand=True)
    expire(row)
    Prediction.objects.all().recover()
    token = Prediction.objects.claim(row.pk, in_hand=True)
    assert not Prediction.objects.finish(row.pk, late, **RESULT)
    assert Prediction.objects.finish(row.pk, token, **RESULT)


def test_a_lost_worker_is_no_attempt():
    row = make_prediction()
    Prediction.objects.claim(row.pk, in_hand=False)
    expire(row)
    assert Prediction.objects.all().recover() == 1
    assert (fresh(row).state, fresh(row).attempts, fresh(row).worker_losses) == (State.QUEUED, 0, 0)


def test_a_row_whose_lease_runs_is_left_alone():
    row = make_prediction()
    Prediction.objects.claim(row.pk, in_hand=True)
    assert Prediction.objects.all().recover() == 0
    assert fresh(row).state == State.RUNNING


def test_the_second_worker_that_dies_with_it_in_hand_fails_it():
    row = make_prediction()
    for _ in range(2):
        Prediction.objects.claim(row.pk, in_hand=True)
        expire(row)
        Prediction.objects.all().recover()
    assert fresh(row).error["code"] == "worker-died"


def test_an_unexpected_error_is_tried_three_times():
    row = make_prediction()
    for _ in range(MAX_ATTEMPTS):
        assert fresh(row).state == State.QUEUED
        token = Prediction.objects.claim(row.pk, in_hand=True)
        assert Prediction.objects.retry_or_fail(row.pk, token)
    assert fresh(row).error["code"] == "unexpected"
    assert fresh(row).attempts == MAX_ATTEMPTS


def test_an_expected_failure_is_final_at_once():
    row = make_prediction()
    token = Prediction.objects.claim(row.pk, in_hand=True)
    Prediction.objects.fail(row.pk, token, Failure("image-missing", "It is gone.", "Submit it again."))
    assert fresh(row).error == {"code": "image-missing", "message": "It is gone.", "hint": "Submit it again."}


def test_a_cancelled_row_takes_no_result():
    row = make_prediction()
    token = Prediction.objects.claim(row.pk, in_hand=True)
    assert Prediction.objects.filter(pk=row.pk).cancel() == 1
    assert not Prediction.objects.finish(row.pk, token, **RESULT)
    assert fresh(row).state == State.CANCELLED


def test_retry_starts_anew():
    row = make_prediction()
    Prediction.objects.filter(pk=row.pk).cancel()
    assert Prediction.objects.filter(pk=row.pk).retry() == 1
    assert (fresh(row).state, fresh(row).attempts, fresh(row).finished_at) == (State.QUEUED, 0, None)


def test_a_done_row_can_be_neither_cancelled_nor_retried():
    row = make_prediction()
    token = Prediction.objects.claim(row.pk, in_hand=True)
    Prediction.objects.finish(row.pk, token, **RESULT)
    assert Prediction.objects.filter(pk=row.pk).cancel() == 0
    assert Prediction.objects.filter(pk=row.pk).retry() == 0


def test_renewing_prolongs_the_lease_of_the_holder_only():
    row = make_prediction()
    token = Prediction.objects.claim(row.pk, in_hand=True)
    expire(row)
    assert Prediction.objects.renew(row.pk, token)
    assert fresh(row).lease_until > timezone.now() + LEASE / 2
    Prediction.objects.filter(pk=row.pk).cancel()
    assert not Prediction.objects.renew(row.pk, token)


@pytest.mark.parametrize(
    "broken",
    [
        {"state": "sleeping"},
        {"state": State.RUNNING},
        {"in_hand": True},
        {"state": State.FAILED, "finished_at": timezone.now()},
        {"error_code": "unexpected"},
        {"state": State.CANCELLED},
        {"finished_at": timezone.now()},
        {"probabilities": {"nv": 1.0}, "top_probability": 1.0},
        {"state": State.DONE, "finished_at": timezone.now()},
    ],
)
def test_the_database_refuses_a_row_that_contradicts_itself(broken):
    row = make_prediction()
    with pytest.raises(IntegrityError):
        Prediction.objects.filter(pk=row.pk).update(**broken)
