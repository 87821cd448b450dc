"""Administrators register models, read their reports and retire them in the Django admin."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from classifier.models import Admission, ModelRecord
from tests.factories import make_model, make_user

pytestmark = pytest.mark.django_db
ADD = "admin:classifier_modelrecord_add"
LIST = "admin:classifier_modelrecord_changelist"


@pytest.fixture
def administrator(client):
    client.force_login(make_user("root", is_staff=True, is_superuser=True))
    return client


def change_page(record: ModelRecord) -> str:
    return reverse("admin:classifier_modelrecord_change", args=[record.pk])


def register(client, content=b"not a model", manifest='{"name": "New", "classes": ["nv", "mel"]}'):
    return client.post(reverse(ADD), {"file": SimpleUploadedFile("new.h5", content), "manifest": manifest})


def test_a_registered_file_is_kept_and_queued_for_its_check(administrator, settings):
    assert register(administrator).status_code == 302
    record = ModelRecord.objects.get(name="New")
    assert (record.state, record.upload_name) == ("checking", "new.h5")
    assert record.upload_path.read_bytes() == b"not a model"
    assert record.upload_path.stat().st_mode & 0o777 == 0o600
    assert Admission.objects.get(record=record).manifest["classes"] == ["nv", "mel"]


def test_a_manifest_that_is_no_json_is_refused_beside_its_field(administrator):
    answer = register(administrator, manifest="classes: nv")
    assert "valid JSON" in answer.content.decode()
    assert not ModelRecord.objects.exists()


def test_the_same_name_and_version_is_refused(administrator):
    make_model("New")
    assert "another version" in register(administrator).content.decode()
    assert ModelRecord.objects.count() == 1


def test_a_ready_models_file_and_classes_cannot_be_changed(administrator):
    record = make_model()
    page = administrator.get(change_page(record)).content.decode()
    for name in ("manifest", "sha256", "framework", "upload", "file"):
        assert f'name="{name}"' not in page
    administrator.post(change_page(record), {"card": "New text", "licence": "MIT", "sha256": "f" * 64})
    changed = ModelRecord.objects.get(pk=record.pk)
    assert (changed.card, changed.sha256) == ("New text", record.sha256)


def test_a_refused_model_is_checked_again_with_another_manifest(administrator):
    record = make_model(state="refused", bundle="", sha256="", error={"code": "needs-classes", "message": "7 outputs"})
    form = {"name": record.name, "card": "", "licence": "", "other_manifest": json.dumps({"classes": ["nv", "mel"]})}
    assert administrator.post(change_page(record), form).status_code == 302
    assert ModelRecord.objects.get().state == "checking"


def test_the_report_is_text_from_strangers(administrator):
    record = make_model(report=[{"check": "layers", "passed": True, "detail": "<script>alert(1)</script>"}])
    page = administrator.get(change_page(record)).content.decode()
    assert "<script>alert(1)</script>" not in page
    assert "&lt;script&gt;alert(1)" in page


@pytest.mark.parametrize(
    ("action", "field", "value"), [("retire", "state", "retired"), ("make_default", "is_default", True)]
)
def test_actions_change_ready_models(administrator, action, field, value):
    record = make_model()
    administrator.post(reverse(LIST), {"action": action, "_selected_action": [record.pk]})
    assert getattr(ModelRecord.objects.get(), field) == value


def test_a_model_that_is_in_use_cannot_be_deleted(administrator):
    record = make_model()
    assert administrator.post(reverse("admin:classifier_modelrecord_delete", args=[record.pk])).status_code == 403


def test_an_ordinary_user_does_not_get_in(client):
    client.force_login(make_user())
    assert client.get(reverse(LIST)).status_code in (302, 403)


def test_the_list_shows_state_and_framework(administrator):
    make_model("Xception")
    page = administrator.get(reverse(LIST), {"q": "xcep", "state": "ready"}).content.decode()
    assert "Xception" in page
    assert "keras" in page.lower()
