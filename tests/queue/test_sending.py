"""Rows first, messages after the commit; what the broker loses is sent again."""

import io
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from classifier.models import Prediction
from classifier.services.cases.create import Upload, create_case
from skinsite.jobs import State
from skinsite.jobs.sweep import sweep
from tests.factories.rows import make_model, make_user
from tests.pictures import picture

pytestmark = pytest.mark.django_db(transaction=True)


def submit(number: int = 1) -> None:
    models = [make_model("Xception"), make_model("B2", framework="torch")]
    uploads = [Upload(f"{seed}.jpg", io.BytesIO(picture(seed))) for seed in range(number)]
    create_case(owner=make_user(), uploads=uploads, models=models)


def some_time_passes() -> None:
    Prediction.objects.exclude(sent_at=None).update(sent_at=timezone.now() - timedelta(minutes=1))


def test_each_prediction_is_sent_to_the_queue_of_its_framework(broker):
    submit(3)
    assert (broker.length("keras"), broker.length("torch")) == (3, 3)
    assert not Prediction.objects.filter(sent_at=None).exists()


def test_nothing_is_sent_for_what_was_rolled_back(broker):
    with transaction.atomic():
        submit()
        transaction.set_rollback(True)
    assert broker.length("keras") == 0
    assert not Prediction.objects.exists()


def test_a_broker_that_is_down_loses_no_case(broker):
    broker.kill()
    submit()
    assert Prediction.objects.filter(state=State.QUEUED).count() == 2
    some_time_passes()
    broker.start()
    sweep()
    assert (broker.length("keras"), broker.length("torch")) == (1, 1)


def test_what_a_wiped_broker_forgot_is_sent_again(broker):
    submit(2)
    broker.client.flushall()
    some_time_passes()
    sweep()
    assert (broker.length("keras"), broker.length("torch")) == (2, 2)


def test_a_long_queue_is_not_sent_twice(broker):
    submit(2)
    some_time_passes()
    sweep()
    sweep()
    assert (broker.length("keras"), broker.length("torch")) == (2, 2)


def test_a_row_that_was_just_sent_is_not_sent_again(broker):
    submit()
    broker.client.flushall()
    sweep()
    assert broker.length("keras") == 0


def test_what_stopped_beating_is_taken_back_and_sent(broker):
    submit()
    broker.client.flushall()
    for row in Prediction.objects.all():
        Prediction.objects.claim(row.pk, in_hand=True)
    Prediction.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    sweep()
    assert set(Prediction.objects.values_list("state", flat=True)) == {State.QUEUED}
    assert (broker.length("keras"), broker.length("torch")) == (1, 1)
