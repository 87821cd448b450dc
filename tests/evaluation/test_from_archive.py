"""An administrator has the server fetch from the ISIC Archive: in turns, resumable, with licences."""

import pytest
from django.core.management import call_command
from django.test import Client

from evaluation.isic_archive import client
from evaluation.models import DataSet
from evaluation.services import files
from evaluation.services.data_sets import isic_archive
from evaluation.services.data_sets.importing import run_import
from skinsite.jobs import State
from tests.evaluation import archive_server
from tests.factories.data_sets import ran
from tests.factories.rows import make_user
from tests.pictures import picture

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def no_broker(monkeypatch):
    monkeypatch.setattr("skinsite.jobs.send.publish", lambda *_: None)


@pytest.fixture
def archive(settings, monkeypatch):
    """A small server on this machine that speaks the archive's API."""
    monkeypatch.setattr(client, "WAITS_S", (0,) * 6)
    with archive_server.running() as archive:
        archive.file = lambda isic_id: picture(int(isic_id[-3:]))
        settings.SKINSITE_ISIC_API = f"{archive.url}/api/v2"
        settings.SKINSITE_ISIC_HOSTS = ["127.0.0.1"]
        yield archive


def test_a_query_becomes_a_data_set_with_its_licences(archive):
    made = isic_archive.create_from_archive(owner=make_user(), name="Archive", query="diagnosis_1:Benign", images=100)
    data_set = ran(made)
    assert data_set.state == State.DONE, data_set.error
    assert data_set.document["images"] == 5
    assert data_set.document["licences"]
    assert data_set.document["attributions"]
    place = files.fetched_folder(data_set)
    assert place.is_dir()
    data_set.delete()
    assert not place.exists()


def test_it_gives_way_after_its_turn_and_goes_on(archive, monkeypatch):
    monkeypatch.setattr(isic_archive, "TURN_SECONDS", 0.0)
    made = isic_archive.create_from_archive(owner=make_user(), name="Archive", query="diagnosis_1:Benign", images=100)
    run_import(data_set_id=made.pk)
    assert DataSet.objects.get().state == State.QUEUED
    monkeypatch.setattr(isic_archive, "TURN_SECONDS", 60.0)
    assert ran(made).document["images"] == 5


def test_an_image_that_could_not_be_had_is_in_the_report(archive):
    archive.instead["/files/ISIC_0000001.jpg"].append(archive_server.status(404))
    made = isic_archive.create_from_archive(owner=make_user(), name="Archive", query="diagnosis_1:Benign", images=100)
    data_set = ran(made)
    assert data_set.document["images"] == 4
    assert "ISIC_0000001" in str(data_set.refused)


def test_an_archive_that_does_not_answer_is_named(archive, settings):
    settings.SKINSITE_ISIC_API = "http://127.0.0.1:9/api/v2"
    made = isic_archive.create_from_archive(owner=make_user(), name="Archive", query="", images=10)
    data_set = ran(made)
    assert data_set.state == State.FAILED
    assert data_set.error["hint"].startswith("Try again")


def test_the_command_prints_what_came(archive, capsys):
    make_user("admin")
    call_command("fetch_isic", "Archive", "diagnosis_1:Benign")
    assert "5 images" in capsys.readouterr().out


def test_the_page_is_for_administrators(archive):
    client = Client()
    client.force_login(make_user("alice"))
    assert client.get("/datasets/isic/").status_code == 403
    client.force_login(make_user("root", is_staff=True, is_superuser=True))
    assert "politely" in client.get("/datasets/isic/").content.decode()
    assert client.post("/datasets/isic/", {"name": "", "images": 9}).status_code == 422
    answer = client.post("/datasets/isic/", {"name": "Nevi", "query": "x", "images": 9})
    assert answer.status_code == 302
    assert DataSet.objects.get().wanted == {"query": "x", "images": 9}
