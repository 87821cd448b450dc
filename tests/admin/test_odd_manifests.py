"""A refused model with an odd manifest breaks no page, and what was given is kept for the next check."""

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from classifier.models import Admission, ModelRecord
from classifier.services.models.register import run_admission
from tests.factories.rows import make_user
from tests.people import Person

pytestmark = pytest.mark.django_db
ODD: list[dict[str, Any]] = [
    {"input": None},
    {"classes": 5},
    {"classes": [7]},
    {"classes": [{"name": "x"}]},
    {"output": 5},
    {"input": "abc"},
    {"input": {"width": "224"}},
    {"input": {"mean": ["a", 1, 2]}},
    {"training_data": ["HAM10000"]},
    {"training_data": [{"name": "A", "images": [7]}]},
    {"unnamed": 5},
    {"licence": 5},
]


@pytest.fixture
def root(settings, tmp_path) -> Person:
    settings.SKINSITE_DATA = tmp_path
    return Person("root", is_staff=True, is_superuser=True)


def refused(root: Person, manifest: dict[str, Any]) -> ModelRecord:
    file = SimpleUploadedFile("a.h5", b"\x89HDF\r\n\x1a\n" + b"0" * 3000)
    assert root.call("POST", "/models", {"file": file, "manifest": json.dumps(manifest)}).status_code == 202
    run_admission(admission_id=Admission.objects.get().pk)
    record = ModelRecord.objects.get()
    assert record.state == "refused", record.error
    return record


@pytest.mark.parametrize(
    "manifest", [{"input": {"width": 224}}, {"input": {"width": 224}, "classes": ["nv", "mel"]}, *ODD]
)
def test_every_page_of_a_refused_model_is_there(root, client, manifest):
    record = refused(root, manifest)
    client.force_login(make_user("root"))
    pages = ("/models/", record.get_absolute_url(), reverse("model_card", args=[record.pk]))
    for page in (*pages, reverse("admin:classifier_modelrecord_change", args=[record.pk])):
        assert client.get(page).status_code == 200, page
    assert root.call("GET", "/models").json()["items"][0]["error"]["code"]
    assert (record.manifest, Admission.objects.get().manifest) == ({}, manifest)


@pytest.mark.parametrize("manifest", ODD[1:])
def test_a_member_of_the_wrong_type_is_refused_before_the_file_is_opened(root, manifest):
    (name,) = manifest
    error = refused(root, manifest).error
    assert error["code"] == "bad-manifest"
    assert error["message"].startswith(f"The manifest's {name}")
