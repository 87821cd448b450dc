"""What every kind of work must bring along, whichever app it belongs to."""

import pytest
from django.urls import NoReverseMatch, reverse

from classifier.models import Admission, ExplanationJob, Prediction
from evaluation.models import Comparison, DataSet, Evaluation, MapCheck, SettingCheck
from evaluation.models.evaluation import Stage
from skinsite.celery import app
from skinsite.jobs import State
from skinsite.jobs.long_job import LongJob
from skinsite.jobs.send import send
from skinsite.jobs.sweep import kinds
from skinsite.jobs.turns import others_wait, person_waits
from tests.factories.data_sets import make_data_set
from tests.factories.rows import make_model, make_prediction, make_user

KINDS = kinds()
LONG = [kind for kind in KINDS if issubclass(kind, LongJob)]


def test_no_kind_of_work_is_left_out():
    short = {Admission, ExplanationJob, Prediction}
    assert set(KINDS) == short | {Comparison, DataSet, Evaluation, MapCheck, SettingCheck}
    assert set(KINDS) - set(LONG) == short


@pytest.mark.parametrize("kind", KINDS)
def test_each_has_a_task_that_a_worker_knows(kind):
    app.loader.import_default_modules()
    assert app.tasks[kind.task].name == kind.task


@pytest.mark.parametrize("kind", LONG)
def test_each_long_one_has_a_page_and_an_answer_of_the_api(kind):
    assert kind(pk=7).get_absolute_url() == reverse(kind.page, args=[7])
    assert reverse(f"api:{kind.page}", args=[7]).endswith("/7")


@pytest.mark.parametrize("kind", LONG)
def test_nobody_else_can_follow_or_change_it(kind, client, db):
    """Every address that a kind has is somebody's: to all others nothing is there."""
    owner = make_user("alice", is_staff=True)
    data_set = make_data_set(["mel"], owner=owner)
    job = data_set
    if kind is not DataSet:
        of_a_model = {} if kind is Comparison else {"model": make_model()}
        job = kind.objects.create(owner=owner, data_set=data_set, **of_a_model)
    client.force_login(make_user("charlie"))
    asked = []
    for view in ("progress", "cancel", "retry", "delete"):
        try:
            address = reverse(f"{kind.page}_{view}", args=[job.pk])
        except NoReverseMatch:
            continue
        asked.append((client.get if view == "progress" else client.post)(address).status_code)
    assert asked
    assert set(asked) == {404}
    assert kind.objects.filter(pk=job.pk, state=job.state).exists()


def test_a_row_is_sent_to_the_queue_that_is_its_own_by_then(db, monkeypatch):
    sent = []
    monkeypatch.setattr("skinsite.jobs.send.publish", lambda task, pks, queue: sent.append((task, pks, queue)))
    row = Evaluation.objects.create(owner=make_user(), data_set=make_data_set(["mel"]), model=make_model())
    send(Evaluation, [row.pk])
    Evaluation.objects.update(stage=Stage.SCORING)
    send(Evaluation, [row.pk])
    assert sent == [(Evaluation.task, [row.pk], "keras-batch"), (Evaluation.task, [row.pk], "default")]


def test_long_work_gives_way_to_people_of_the_same_workers_only(db):
    model, other = make_model("K", framework="keras"), make_model("T", framework="torch")
    person = make_prediction(model=model)
    assert (person_waits("keras-batch"), person_waits("torch-batch")) == (True, False)
    assert not person_waits("keras"), "this is the queue of people itself"
    Prediction.objects.filter(pk=person.pk).cancel()
    Admission.objects.create(record=other)
    assert not person_waits("keras-batch")
    assert not person_waits("torch-batch")
    assert not person_waits("default")


def test_others_are_those_that_a_person_asked_for_and_whose_turn_it_is(db):
    model, data_set = make_model(framework="torch", layer="last"), make_data_set(["mel"])
    mine, later = (Evaluation.objects.create(owner=make_user(), data_set=data_set, model=model) for _ in range(2))
    at_admission = MapCheck.objects.create(model=model)
    assert not others_wait(mine, "torch-batch"), "a person's second evaluation waits for the first"
    assert others_wait(at_admission, "torch-batch")
    Evaluation.objects.filter(pk=mine.pk).cancel()
    assert others_wait(mine, "torch-batch"), f"{later} is next"
    check = SettingCheck.objects.create(owner=make_user("bob"), data_set=data_set, model=model)
    Evaluation.objects.all().delete()
    assert not others_wait(check, "torch-batch")
    assert not others_wait(mine, "keras-batch")
    assert SettingCheck.objects.get().state == State.QUEUED
