"""Many workers at once, each with its own connection; test_on_postgresql.py runs these on PostgreSQL too."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from classifier.models import Case, Prediction
from skinsite.jobs import State
from tests.factories.rows import make_image, make_prediction

pytestmark = pytest.mark.django_db(transaction=True)
THREADS = 8
RESULT = {"probabilities": {"nv": 1.0}, "top_code": "nv", "top_probability": 1.0}


def at_once(function: Any) -> list[Any]:
    """Call `function(number)` in eight threads at once; each gives its connection back."""

    def call(number: int) -> Any:
        try:
            return function(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(call, range(THREADS)))


def queue(number: int) -> list[int]:
    return [make_prediction(make_image(position=0)).pk for _ in range(number)]


def test_every_row_is_claimed_once_and_finished_once():
    pks = queue(20)

    def work(_: int) -> int:
        finished = 0
        for pk in pks:
            if token := Prediction.objects.claim(pk, in_hand=True):
                finished += Prediction.objects.finish(pk, token, **RESULT)
        return finished

    assert sum(at_once(work)) == 20
    assert set(Prediction.objects.values_list("state", "attempts")) == {(State.DONE, 1)}


def test_sweepers_do_not_take_a_row_back_twice():
    pks = queue(10)
    for pk in pks:
        Prediction.objects.claim(pk, in_hand=True)
    Prediction.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert sum(at_once(lambda _: Prediction.objects.all().recover())) == 10
    assert set(Prediction.objects.values_list("worker_losses", "attempts")) == {(1, 0)}


def test_cancelling_and_finishing_leave_one_truth():
    pks = queue(20)
    tokens = {pk: Prediction.objects.claim(pk, in_hand=True) for pk in pks}

    def race(number: int) -> Counter[str]:
        won: Counter[str] = Counter()
        for pk in pks:
            if number % 2:
                won["cancelled"] += Prediction.objects.filter(pk=pk).cancel()
            else:
                won["done"] += Prediction.objects.finish(pk, tokens[pk], **RESULT)
        return won

    outcome = sum(at_once(race), Counter())
    assert outcome.total() == 20
    assert Counter(Prediction.objects.values_list("state", flat=True)) == +outcome


def test_a_case_that_is_deleted_under_the_worker_takes_its_rows_along():
    pk = queue(1)[0]
    token = Prediction.objects.claim(pk, in_hand=True)
    Case.objects.all().delete()
    assert not Prediction.objects.finish(pk, token, **RESULT)
