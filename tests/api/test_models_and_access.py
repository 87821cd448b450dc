"""Models, tokens and who may call."""

import json
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from classifier.models import ModelRecord
from classifier.services.models import register as model_register
from skinsite.accounts.models import ApiToken
from tests.api.test_cases import problem
from tests.factories.rows import make_model

MANIFEST = json.dumps({"name": "New", "classes": ["nv", "mel"]})


def register(program, manifest: str = MANIFEST):
    return program.call("POST", "/models", {"file": SimpleUploadedFile("a.pth", b"x" * 100), "manifest": manifest})


def test_a_model_is_the_contracts(alice, model):
    (shown,) = alice.call("GET", "/models").json()["items"]
    assert shown == alice.call("GET", f"/models/{model.pk}").json()
    assert (shown["id"], shown["framework"], shown["state"], shown["default"]) == (
        str(model.pk),
        "keras",
        "ready",
        True,
    )
    assert shown["classes"][4] == {"code": "mel", "name": "Melanoma", "malignant": True}
    assert shown["card"] == f"/models/{model.pk}/"


def test_an_administrator_registers_and_others_do_not(alice, administrator):
    answer = register(administrator)
    assert (answer.status_code, answer.json()["state"]) == (202, "checking")
    assert answer["Location"] == f"/api/v1/models/{answer.json()['id']}"
    problem(register(alice), 403)
    problem(alice.call("GET", f"/models/{answer.json()['id']}"), 404)


def test_a_manifest_may_be_sent_as_a_file(administrator):
    answer = register(administrator, SimpleUploadedFile("manifest.json", MANIFEST.encode()))
    assert answer.json()["name"] == "New"


@pytest.mark.parametrize("manifest", ["{", "[]", "NaN", '{"name": ""}' * 2, '{"a": ' + "[" * 9999 + "]" * 9999 + "}"])
def test_a_manifest_that_cannot_be_read_is_a_problem(administrator, manifest):
    problem(register(administrator, manifest), 422)
    assert not ModelRecord.objects.exists()


def test_a_version_exists_once(administrator):
    register(administrator)
    assert "another version" in problem(register(administrator), 422)["detail"]


def test_only_a_refused_model_is_checked_again_and_only_a_ready_one_retired(alice, administrator, model):
    problem(administrator.post_json(f"/models/{model.pk}/recheck", {"manifest": {}}), 409)
    problem(alice.post_json(f"/models/{model.pk}/recheck", {"manifest": {}}), 403)
    problem(alice.call("POST", f"/models/{model.pk}/retire"), 403)
    assert administrator.call("POST", f"/models/{model.pk}/retire").json()["state"] == "retired"
    problem(administrator.call("POST", f"/models/{model.pk}/retire"), 409)
    refused = make_model(
        "Bad", state="refused", bundle="", sha256="", error={"code": "x", "message": "No.", "hint": ""}
    )
    assert administrator.post_json(f"/models/{refused.pk}/recheck", {"manifest": {}}).status_code == 202


REFUSED = {"state": "refused", "bundle": "", "sha256": "", "error": {"code": "x", "message": "No.", "hint": ""}}


def test_another_licence_and_card_are_taken_with_a_recheck_and_another_name_is_refused(administrator):
    refused = make_model("Bad", licence="old", card="old", **REFUSED)
    address = f"/models/{refused.pk}/recheck"
    for wrong in ({"name": "Other"}, {"version": "3"}, {"name": 5}):
        assert "leave it so" in problem(administrator.post_json(address, {"manifest": wrong}), 422)["detail"]
    assert ModelRecord.objects.get().state == "refused"
    told = {"name": "Bad", "version": "1", "licence": "MIT", "card": None}
    assert administrator.post_json(address, {"manifest": told}).json()["licence"] == "MIT"
    assert ModelRecord.objects.get().card == "old"


def test_null_is_no_licence_and_no_card(administrator):
    answer = register(administrator, '{"name": "New", "licence": null, "card": null}')
    assert answer.json()["licence"] == ""
    assert ModelRecord.objects.get().card == ""


def test_a_version_that_somebody_else_took_meanwhile_is_refused(administrator, monkeypatch):
    make_model("New")
    monkeypatch.setattr(model_register, "_name_and_version", lambda manifest, file_name: ("New", "1"))
    assert "another version" in problem(register(administrator), 422)["detail"]
    assert ModelRecord.objects.count() == 1


@pytest.mark.parametrize("change", [{"expires": timezone.now() - timedelta(days=1)}, {"revoked": timezone.now()}])
def test_a_token_that_expired_or_was_revoked_opens_nothing(alice, change):
    assert alice.call("GET", "/models").status_code == 200
    ApiToken.objects.update(**change)
    problem(alice.call("GET", "/models"), 401)


def test_the_token_of_a_person_who_was_locked_out_opens_nothing(alice):
    assert alice.call("GET", "/models").status_code == 200
    ApiToken.objects.get().owner.__class__.objects.update(is_active=False)
    problem(alice.call("GET", "/models"), 401)


@pytest.mark.parametrize("header", ["", "Bearer ", "Bearer wrong", "Basic YTpi", "Bearer \u00e9"])
def test_without_a_valid_token_nothing_opens(db, header):
    answer = Client(headers={"Authorization": header}).get("/api/v1/models")
    assert problem(answer, 401)
    assert answer["WWW-Authenticate"].startswith("Bearer")


def test_a_token_opens_no_page_and_not_the_admin(administrator):
    for path in ("/cases/", "/admin/", "/accounts/tokens/"):
        assert administrator.program.get(path).status_code == 302


def test_a_token_is_kept_as_a_hash_and_its_use_is_noted(alice):
    secret, token = alice.secret, ApiToken.objects.get()
    assert secret not in json.dumps([str(value) for value in vars(token).values()])
    assert len(alice.secret) > 40
    alice.call("GET", "/models")
    token.refresh_from_db()
    assert token.last_used is not None


def test_unknown_addresses_and_wrong_methods_are_problems(alice):
    problem(alice.call("GET", "/nope"), 404)
    problem(alice.call("GET", "/cases/abc"), 404)
    problem(alice.call("GET", f"/cases/{10**30}"), 404)
    problem(alice.program.put("/api/v1/models"), 405)


def test_too_many_requests_are_slowed_down(alice, settings):
    settings.REQUESTS_A_SECOND = 5
    answers = [alice.call("GET", "/models") for _ in range(30)]
    slowed = [answer for answer in answers if answer.status_code == 429]
    assert slowed
    problem(slowed[0], 429)
    assert slowed[0]["Retry-After"]
