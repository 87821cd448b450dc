"""Administrators register models, read their reports and retire them in the Django admin."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from classifier.models import Admission, ModelRecord
from classifier.services.models.register import delete_model
from skinsite.refusal import Conflict
from tests.factories.rows import make_model, make_prediction, make_user

pytestmark = pytest.mark.django_db
ADD = "admin:classifier_modelrecord_add"
LIST = "admin:classifier_modelrecord_changelist"


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


def refused_model(code="needs-classes", manifest=None, **fields):
    error = {
        "code": code,
        "message": "The manifest names no classes, and the file has 7 outputs.",
        "hint": "Name them.",
    }
    record = make_model("Refused", state="refused", bundle="", sha256="", error=error | fields)
    Admission.objects.create(record=record, manifest=manifest or {}, state="done", finished_at=timezone.now())
    return record


TEXTS = {"name": "Refused", "card": "", "licence": ""}


def test_a_refused_model_is_checked_again_with_what_the_fields_say(administrator):
    record = refused_model(manifest={"input": {"width": 64, "mean": [0, 0, 0]}, "framework": "keras"})
    given = {"classes": "nv, mel", "width": "64", "mean": "0, 0, 0", "manifest": '{"framework": "keras"}'}
    answer = administrator.post(change_page(record), TEXTS | given)
    assert answer["Location"] == record.get_absolute_url()
    assert ModelRecord.objects.get().state == "checking"
    told = Admission.objects.last().manifest
    assert told["classes"] == ["nv", "mel"]
    assert told["input"] == {"width": 64, "mean": [0, 0, 0]}
    assert (told["framework"], told["name"], told["version"]) == ("keras", "Refused", "1")


def test_another_licence_is_no_reason_to_check_again_but_the_button_is(administrator):
    record = refused_model(manifest={"classes": ["nv", "mel"]})
    administrator.post(change_page(record), TEXTS | {"licence": "MIT", "classes": "nv, mel"})
    assert (ModelRecord.objects.get().state, ModelRecord.objects.get().licence) == ("refused", "MIT")
    administrator.post(change_page(record), TEXTS | {"classes": "nv, mel", "_recheck": "1"})
    assert ModelRecord.objects.get().state == "checking"


@pytest.mark.parametrize(
    ("code", "field"),
    [
        ("needs-classes", "classes"),
        ("class-count", "classes"),
        ("needs-output", "output"),
        ("needs-clinical", "clinical"),
        ("input-size", "width"),
        ("needs-architecture", "architecture"),
        ("weights-do-not-fit", "architecture"),
        ("weights-only", "architecture"),
        ("no-such-layer", "manifest"),
    ],
)
def test_a_refusal_leads_to_its_field(administrator, code, field):
    record = refused_model(code)
    page = administrator.get(change_page(record)).content.decode()
    assert f'href="#id_{field}"' in page
    (focused,) = re.findall(r"<\w+[^>]* autofocus[^>]*>", page)
    assert f'id="id_{field}"' in focused
    assert f"#id_{field}" in administrator.get(record.get_absolute_url()).content.decode()


def test_a_file_that_is_no_model_leads_to_another_file(administrator):
    record = refused_model("lfs-pointer")
    assert "#id_" not in administrator.get(record.get_absolute_url()).content.decode()
    assert reverse(ADD) in administrator.get(record.get_absolute_url()).content.decode()


@pytest.mark.parametrize("code", ["time-limit", "worker-died", "unexpected"])
def test_what_the_server_could_not_do_leads_to_the_same_file_again(administrator, code):
    record = refused_model(code)
    page = administrator.get(record.get_absolute_url()).content.decode()
    assert f"{change_page(record)}#refusal" in page
    assert "Register another file" not in page
    assert 'name="_recheck"' in administrator.get(change_page(record)).content.decode()


def test_a_refused_model_is_deleted_with_its_file(administrator, django_capture_on_commit_callbacks):
    register(administrator)
    record = ModelRecord.objects.get()
    Admission.objects.update(state="done", finished_at=timezone.now())
    delete = reverse("admin:classifier_modelrecord_delete", args=[record.pk])
    assert administrator.post(delete, {"post": "yes"}).status_code == 403
    ModelRecord.objects.update(state="refused", error={"code": "truncated", "message": "Short.", "hint": ""})
    assert delete in administrator.get(record.get_absolute_url()).content.decode()
    assert record.upload_path.exists()
    with django_capture_on_commit_callbacks(execute=True):
        assert administrator.post(delete, {"post": "yes"}).status_code == 302
    assert not ModelRecord.objects.exists()
    assert not record.upload_path.exists()


def test_a_model_that_answers_or_has_answered_is_not_deleted(administrator):
    for fields in ({}, {"state": "retired"}):
        record = make_model(**fields)
        delete = reverse("admin:classifier_modelrecord_delete", args=[record.pk])
        assert administrator.post(delete, {"post": "yes"}).status_code == 403
        with pytest.raises(Conflict, match="only a refused one"):
            delete_model(record=record)
        record.delete()
    used = refused_model()
    make_prediction(model=used)
    with pytest.raises(Conflict, match="predictions"):
        delete_model(record=used)
    page = administrator.get(reverse("admin:classifier_modelrecord_delete", args=[used.pk])).content.decode()
    assert "would require deleting the following protected" in page


CANDIDATES = [
    {"architecture": {"family": "timm", "name": "tf_efficientnet_b2"}, "differs": "BN epsilon 0.001"},
    {"architecture": {"family": "timm", "name": "efficientnet_b2"}, "differs": "BN epsilon 1e-5"},
]


def test_one_click_checks_the_file_again_as_a_candidate(administrator):
    record = refused_model("needs-choice", {"classes": ["nv", "mel"]}, candidates=CANDIDATES)
    for page in (change_page(record), record.get_absolute_url()):
        shown = administrator.get(page).content.decode()
        assert "timm tf_efficientnet_b2" in shown
        assert "BN epsilon 1e-5" in shown
    administrator.post(reverse("model_choose", args=[record.pk]), {"candidate": "1"})
    assert ModelRecord.objects.get().state == "checking"
    assert Admission.objects.last().manifest == {
        "classes": ["nv", "mel"],
        "architecture": CANDIDATES[1]["architecture"],
    }


def test_a_candidate_is_checked_under_the_texts_that_the_record_has_now(administrator):
    told = {"name": "Old", "licence": "old", "classes": ["nv", "mel"]}
    record = refused_model("needs-choice", told, candidates=CANDIDATES)
    ModelRecord.objects.update(licence="MIT")
    administrator.post(reverse("model_choose", args=[record.pk]), {"candidate": "0"})
    assert (ModelRecord.objects.get().state, ModelRecord.objects.get().licence) == ("checking", "MIT")
    assert Admission.objects.last().manifest["name"] == "Refused"


def test_a_name_that_another_model_of_the_version_has_is_refused_beside_its_field(administrator):
    make_model("Taken")
    record = refused_model()
    page = administrator.post(change_page(record), TEXTS | {"name": "Taken"}).content.decode()
    assert "There is a Taken of version 1 already" in page
    assert ModelRecord.objects.get(pk=record.pk).name == "Refused"


@pytest.mark.parametrize("candidate", ["2", "-1", "x", ""])
def test_a_candidate_that_is_none_changes_nothing(administrator, candidate):
    record = refused_model("needs-choice", candidates=CANDIDATES)
    administrator.post(reverse("model_choose", args=[record.pk]), {"candidate": candidate})
    assert ModelRecord.objects.get().state == "refused"


def test_an_ordinary_user_chooses_and_retires_nothing(client):
    client.force_login(make_user())
    assert client.post(reverse("model_choose", args=[refused_model().pk]), {"candidate": "0"}).status_code == 404
    ready = make_model()
    assert client.post(reverse("model_retire", args=[ready.pk])).status_code == 403
    assert ModelRecord.objects.get(pk=ready.pk).state == "ready"


def test_an_administrator_retires_from_its_page(administrator):
    record = make_model()
    administrator.post(reverse("model_retire", args=[record.pk]))
    assert ModelRecord.objects.get().state == "retired"


def test_the_missing_walls_are_shown_on_every_page_of_the_administration(administrator, settings):
    settings.SKINSITE_UNCONFINED_ADMISSION = False
    assert "without isolation" not in administrator.get(reverse("admin:index")).content.decode()
    settings.SKINSITE_UNCONFINED_ADMISSION = True
    for page in (reverse("admin:index"), reverse(LIST), reverse(ADD)):
        assert 'class="unconfined"' in administrator.get(page).content.decode()


def test_the_report_is_text_from_strangers(administrator):
    record = make_model(report=[{"check": "layers", "passed": True, "detail": "<script>alert(1)</script>"}])
    page = administrator.get(change_page(record)).content.decode()
    assert "<script>alert(1)</script>" not in page
    assert "<p>&lt;script&gt;alert(1)" in page


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
    assert client.get(reverse(LIST))["Location"].startswith("/admin/login/")


def test_the_list_shows_state_and_framework(administrator):
    make_model("Xception")
    page = administrator.get(reverse(LIST), {"q": "xcep", "state": "ready"}).content.decode()
    assert "Xception" in page
    assert "keras" in page.lower()
