"""How much of one person may be open at once, whether it is started or tried again."""

from typing import Any

import pytest
from django.utils import timezone

from evaluation.models import DataSet, Evaluation, MapCheck, SettingCheck
from evaluation.services.evaluations.start import start_evaluation
from evaluation.services.map_checks.start import start_map_check
from evaluation.services.setting_checks.start import start_setting_check
from skinsite.jobs import State, actions
from skinsite.refusal import Conflict
from tests.factories.data_sets import import_data_set, seven_labels
from tests.factories.rows import make_model, make_user
from tests.people import Person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quiet")]


@pytest.fixture
def data_set(db) -> DataSet:
    return import_data_set(seven_labels(50), owner=make_user("alice", is_staff=True, is_superuser=True))


def ended(kind: Any, data_set: DataSet, model: Any) -> Any:
    return kind.objects.create(
        owner=data_set.owner, data_set=data_set, model=model, state=State.CANCELLED, finished_at=timezone.now()
    )


def test_cancelled_evaluations_are_not_tried_again_beyond_the_limit(data_set):
    def four(name: str) -> list[Evaluation]:
        models = [make_model(f"{name}{number}") for number in range(4)]
        return [start_evaluation(owner=data_set.owner, data_set=data_set, model=model) for model in models]

    first = four("A")
    for row in first:
        actions.cancel(row)
    second = four("B")
    with pytest.raises(Conflict, match="1 of your evaluations may run and 3 may wait; 4 are open"):
        actions.retry(Evaluation.objects.get(pk=first[0].pk))
    assert Person("alice").call("POST", f"/evaluations/{first[0].pk}/retry").status_code == 409
    actions.cancel(second[0])
    actions.retry(Evaluation.objects.get(pk=first[0].pk))
    assert Evaluation.objects.filter(state=State.QUEUED).count() == 4


def test_three_map_checks_of_a_person_are_open(data_set, settings):
    models = [make_model(f"M{number}", layer="last") for number in range(5)]
    old = ended(MapCheck, data_set, models[4])
    checks = [start_map_check(owner=data_set.owner, data_set=data_set, model=model) for model in models[:3]]
    with pytest.raises(Conflict, match="3 of your checks of heat maps may be open, and 3 are"):
        start_map_check(owner=data_set.owner, data_set=data_set, model=models[3])
    with pytest.raises(Conflict, match="may be open"):
        actions.retry(old)
    actions.cancel(checks[0])
    actions.retry(old)
    assert MapCheck.objects.filter(state=State.QUEUED).count() == settings.OPEN_MAP_CHECKS_A_USER == 3


def test_the_check_at_admission_counts_for_nobody(data_set):
    row = MapCheck.objects.create(model=make_model(layer="last"), state=State.CANCELLED, finished_at=timezone.now())
    actions.retry(row)
    assert MapCheck.objects.get().state == State.QUEUED


@pytest.mark.parametrize(
    ("kind", "start", "address"),
    [
        (MapCheck, start_map_check, "map-checks"),
        (SettingCheck, start_setting_check, "setting-checks"),
    ],
)
def test_a_check_is_not_tried_again_beside_an_open_one(data_set, kind, start, address):
    model = make_model(layer="last")
    old = ended(kind, data_set, model)
    start(owner=data_set.owner, data_set=data_set, model=model)
    with pytest.raises(Conflict, match="already: wait for it or cancel it"):
        actions.retry(old)
    answer = Person("alice").call("POST", f"/{address}/{old.pk}/retry")
    assert (answer.status_code, "wait for it or cancel it" in answer.content.decode()) == (409, True)
    assert kind.objects.get(pk=old.pk).state == State.CANCELLED
