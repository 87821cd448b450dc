"""The check of maps that every model gets by itself, on drawn pictures."""

import os
import time
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from classifier.inference.explain.explain import METHODS
from classifier.models import ModelRecord, Prediction
from classifier.models.model_record import Framework, ModelState
from classifier.services.predictions.warm_up import ready_mark
from evaluation.metrics.maps import credibility
from evaluation.models import MapCheck
from evaluation.services.map_checks import document as map_check_document
from evaluation.services.map_checks import measure
from evaluation.services.map_checks.at_admission import AFTER_THE_START, QUIET, queue_admission_check
from evaluation.services.map_checks.drawn_images import IMAGES, Gallery
from evaluation.services.map_checks.facts import facts_of_maps
from evaluation.services.map_checks.measure import run_map_check
from evaluation.services.map_checks.start import start_map_check
from skinsite.jobs import Failure, State
from tests.evaluation.test_map_check import spot_set, spots  # noqa: F401
from tests.factories.rows import make_model, make_prediction, make_user
from tests.factories.spot_networks import make_small_model
from tests.people import Person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quiet")]
SMALL = Gallery(size=(64, 48))


@pytest.fixture(autouse=True)
def fewer(monkeypatch) -> None:
    """Small pictures and few seeds do where no test looks at the figures' precision."""
    monkeypatch.setattr(map_check_document, "gallery", SMALL)
    monkeypatch.setattr(measure, "SEEDS", 2)
    monkeypatch.setattr(map_check_document, "MOST_RANDOMISED", 6)
    monkeypatch.setattr(map_check_document, "MOST_CHANGED", 4)
    monkeypatch.setattr(credibility, "RANDOM_MAPS", 2)


@pytest.fixture
def warm(settings, tmp_path) -> None:
    """Workers that have been ready for a while."""
    settings.SKINSITE_DATA = tmp_path
    before = time.time() - AFTER_THE_START.total_seconds() - 1
    for framework in Framework.values:
        mark = ready_mark(framework)
        mark.parent.mkdir(exist_ok=True)
        mark.touch()
        os.utime(mark, (before, before))


@pytest.fixture
def model(warm) -> ModelRecord:
    return make_small_model()


def ran() -> MapCheck:
    check = MapCheck.objects.get(data_set=None)
    run_map_check(check_id=check.pk)
    return MapCheck.objects.select_related("model").get(pk=check.pk)


def client_of(name: str, **fields: Any) -> Client:
    client = Client()
    client.force_login(make_user(name, **fields))
    return client


def test_a_ready_model_is_checked_by_itself_and_its_page_shows_the_figures(model):
    queue_admission_check()
    page = client_of("alice").get(model.get_absolute_url()).content.decode()
    assert "At admission, on drawn pictures" in page
    done = ran()
    assert done.state == State.DONE, done.error
    found = done.document
    assert (found["images"], found["lesions"], found["inside"]["images"]) == (IMAGES, IMAGES, IMAGES)
    assert [row["share"] for row in found["randomised"]["shares"]] == [0.25, 0.5, 0.75, 1.0]
    assert found["randomised"]["shares"][-1]["likeness"]["high"] is not None
    assert found["inside"]["ratio"]["map"]["value"] > 1
    assert found["changes"] is None
    assert done.done == done.total == IMAGES + 4 * 2 * 6
    for text in ("At admission", "drawn pictures", "Heat inside ÷ area", "Layers randomised", "100 %"):
        assert text in client_of("alice").get(model.get_absolute_url()).content.decode()
    assert "no patients" in client_of("alice").get(done.get_absolute_url()).content.decode()
    card = client_of("alice").get(reverse("model_card", args=[model.pk])).content.decode()
    assert "### At admission, on drawn pictures" in card
    assert "| \\|Spearman\\|, 100% of layers randomised | " in card


def test_it_is_made_once_and_one_at_a_time(model):
    other = make_small_model("Other")
    for _round in range(3):
        queue_admission_check()
    assert [check.model for check in MapCheck.objects.all()] == [model]
    with pytest.raises(IntegrityError), transaction.atomic():
        MapCheck.objects.create(model=model)
    MapCheck.objects.get().delete()
    done = {"state": State.CANCELLED, "finished_at": timezone.now()}
    MapCheck.objects.create(model=model, **done)
    for _round in range(2):
        queue_admission_check()
    assert set(MapCheck.objects.values_list("model", flat=True)) == {model.pk, other.pk}


@pytest.mark.parametrize("fields", [{"layer": ""}, {"layer": "last", "state": ModelState.RETIRED}])
def test_what_draws_no_maps_or_is_retired_is_not_checked(warm, fields):
    make_model(**fields)
    queue_admission_check()
    assert not MapCheck.objects.exists()


def test_it_can_be_switched_off_and_waits_until_the_portal_is_warm(settings, model, tmp_path):
    settings.SKINSITE_MAP_CHECKS = False
    queue_admission_check()
    settings.SKINSITE_MAP_CHECKS = True
    ready_mark("keras").touch()
    queue_admission_check()
    ready_mark("keras").unlink()
    queue_admission_check()
    assert not MapCheck.objects.exists()


def test_it_gives_way_to_people_of_every_framework_and_to_those_who_just_were_here(
    model, no_broker, django_capture_on_commit_callbacks
):
    queue_admission_check()
    person = make_prediction(model=make_model("Keras", framework="keras"))
    with django_capture_on_commit_callbacks(execute=True):
        assert ran().begun_at is None
    assert no_broker == [], "the sweeper sends it again, not the worker in circles"
    Prediction.objects.update(state=State.CANCELLED, finished_at=timezone.now())
    assert ran().begun_at is None
    Prediction.objects.update(queued_at=person.queued_at - QUIET)
    assert ran().state == State.DONE


def test_drawing_stops_for_a_person_and_goes_on_where_it_was(model, monkeypatch):
    fresh = Gallery(size=(64, 48))
    monkeypatch.setattr(map_check_document, "gallery", fresh)
    looks: list[bool] = []

    def somebody() -> bool:
        looks.append(True)
        return len(looks) == 6

    monkeypatch.setattr(measure, "people_are_here", somebody)
    queue_admission_check()
    assert ran().state == State.QUEUED
    assert len(fresh._here) == 5
    assert ran().state == State.DONE
    assert len(fresh._here) == IMAGES


def test_a_failed_check_says_why_and_only_an_administrator_tries_it_again(model, monkeypatch):
    queue_admission_check()
    check = MapCheck.objects.get()
    MapCheck.objects.fail(check.pk, MapCheck.objects.claim(check.pk, in_hand=True), Failure("broken", "It broke."))
    alice, admin = client_of("alice"), client_of("boss", is_staff=True)
    assert "It broke." in alice.get(model.get_absolute_url()).content.decode()
    retry = f"{check.get_absolute_url()}retry/"
    assert "Try again" not in alice.get(check.get_absolute_url()).content.decode()
    assert alice.post(retry).status_code == 404
    assert admin.post(retry).status_code == 302
    assert MapCheck.objects.get().state == State.QUEUED


def test_a_check_on_real_pictures_takes_its_place(model, spots):  # noqa: F811
    queue_admission_check()
    ran()
    alice = make_user("alice")
    real = start_map_check(owner=alice, data_set=spot_set(spots, alice), model=model, seed=1)
    run_map_check(check_id=real.pk)
    page = client_of("alice").get(model.get_absolute_url()).content.decode()
    assert page.index("Spots") < page.index("As checked at admission, on drawn pictures")
    assert "At admission" not in client_of("alice").get(reverse("model_card", args=[model.pk])).content.decode()


def facts_for(model: ModelRecord, name: str = "alice") -> dict[str, Any]:
    told = facts_of_maps(HttpRequest(), model=model, method=METHODS["grad-cam"], person=make_user(name))
    return {fact.check: fact for fact in told}


def test_each_map_tells_what_the_newest_check_found_that_its_reader_may_see(model, spots):  # noqa: F811
    assert [fact.passed for fact in facts_for(model).values()] == [None, None]
    queue_admission_check()
    at_admission = ran().document
    found = facts_for(model)
    assert found["randomisation"].passed is at_admission["randomised"]["passes"]
    assert found["lesion"].passed is at_admission["inside"]["ratio"]["better"]["gaussian"]
    assert found["lesion"].detail.endswith(f"Measured at admission on {IMAGES} drawn pictures.")
    alice = make_user("alice")
    real = start_map_check(owner=alice, data_set=spot_set(spots, alice), model=model, seed=1)
    run_map_check(check_id=real.pk)
    assert "images of Spots" in facts_for(model)["randomisation"].detail
    assert "drawn pictures" in facts_for(model, "charlie")["randomisation"].detail
    document = MapCheck.objects.get(pk=real.pk).document
    document["randomised"]["passes"], document["inside"]["ratio"]["better"]["gaussian"] = None, False
    MapCheck.objects.filter(pk=real.pk).update(document=document)
    found = facts_for(model)
    assert (found["randomisation"].passed, found["lesion"].passed) == (None, False)
    assert "does not find the lesion better" in found["lesion"].detail
    MapCheck.objects.filter(pk=real.pk).update(document=document | {"inside": None})
    assert facts_for(model)["lesion"].passed is None


def test_a_program_finds_it_without_a_data_set(model):
    queue_admission_check()
    ran()
    (found,) = Person("alice").call("GET", "/map-checks").json()["items"]
    assert (found["dataset"], found["result"]["changes"]) == (None, None)
    assert Person("alice").call("POST", f"/map-checks/{found['id']}/cancel").status_code == 404
