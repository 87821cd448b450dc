"""The manifest as a form: a field for what it can show, JSON for all the rest, and nothing lost between them."""

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from classifier.forms.manifest import ManifestFields, split
from classifier.models import Admission, ModelRecord
from tests.factories.rows import make_model

ADD = "admin:classifier_modelrecord_add"
BAD_JSON = ['{"input": {"range": [0, NaN]}}', '{"a": "\\u0000"}', '{"a": "\\ud800"}', "[" * 5000 + "]" * 5000]


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.SKINSITE_DATA = tmp_path


@pytest.mark.django_db
@pytest.mark.parametrize("field", ["manifest", "architecture", "classes"])
@pytest.mark.parametrize("text", BAD_JSON)
def test_json_that_no_database_keeps_is_refused_beside_its_field(administrator, field, text):
    text = f"[{text}]" if field == "classes" else text
    file = SimpleUploadedFile("new.h5", b"abc" * 99)
    page = administrator.post(reverse(ADD), {"file": file, "name": "N", field: text}).content.decode()
    assert "This is not valid JSON" in page
    assert text.replace('"', "&quot;") in page
    assert not ModelRecord.objects.exists()


def given_back(manifest: dict[str, Any]) -> dict[str, Any]:
    """What the form gives for a manifest if it is sent back as it is shown."""
    form = ManifestFields(initial=split(manifest))
    data = {name: form[name].value() for name in form.fields}
    data = {name: form.fields[name].prepare_value(value) for name, value in data.items() if value not in (None, False)}
    sent = ManifestFields({name: value for name, value in data.items() if value is not None}, initial=split(manifest))
    assert sent.is_valid(), sent.errors
    assert not sent.changed_data
    return sent.declared()


@pytest.mark.parametrize(
    "manifest",
    [
        {"training_data": [{"name": "HAM10000", "images": None, "url": "https://x", "split": "train"}]},
        {"training_data": [{"name": "Mine", "images": ["ISIC_1", "ISIC_2"]}]},
        {"training_data": [{"name": "Mine", "images": "ids.txt"}]},
        {"training_data": ["HAM10000"]},
        {"training_data": 5},
        {"input": "abc"},
        {"input": [7]},
        {
            "input": {"width": "224", "height": 224, "mean": ["a", 1, 2], "output": 3},
            "output": "softmax",
        },
        {"input": {"mean": [None, 1, 2], "color": "RGBA", "antialias": "yes"}},
        {"input": {"mean": [0.48145466, 0.4578275, 0.40821073], "antialias": False, "resize": "crop"}},
        {"unnamed": "yes"},
        {"unnamed": "other"},
        {"unnamed": [1]},
        {"output": 5},
        {"output": "tanh"},
        {"classes": 5},
        {"classes": ["nv", "mel"]},
        {"classes": ["two words", "a,b"]},
        {"classes": [7, {"name": "x"}]},
        {"architecture": "resnet18"},
        {"architecture": {"family": "timm", "name": "resnet18"}, "framework": "torch"},
    ],
)
def test_a_manifest_comes_back_as_it_was_given(manifest):
    assert given_back(manifest) == manifest


def test_a_name_alone_has_a_field():
    assert given_back({"training_data": [{"name": "A"}]}) == {"training_data": [{"name": "A", "images": None}]}
    assert split({"training_data": [{"name": "A", "images": None}]})["manifest"] is None


@pytest.mark.django_db
@pytest.mark.parametrize("manifest", [{"input": {"mean": ["a", 1, 2]}}, {"training_data": ["HAM10000"]}, {"output": 5}])
def test_the_page_of_a_refused_model_shows_an_odd_manifest(administrator, manifest):
    record = make_model("B", state="refused", bundle="", sha256="", manifest={}, error={"code": "x"})
    Admission.objects.create(record=record, manifest=manifest, state="done", finished_at=timezone.now())
    page = administrator.get(reverse("admin:classifier_modelrecord_change", args=[record.pk]))
    assert page.status_code == 200
    assert json.dumps(manifest, indent=2).replace('"', "&quot;") in page.content.decode()
