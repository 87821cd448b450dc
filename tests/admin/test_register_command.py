"""`manage.py register_model`: the report on the terminal, and an exit status that a script can read."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from classifier.models import ModelRecord
from tests.factories import model_files

LAYERS = [
    {"type": "conv2d", "name": "conv1", "out": 8, "kernel": 3, "stride": 1, "padding": 1},
    {"type": "relu"},
    {"type": "maxpool2d", "kernel": 2},
    {"type": "flatten"},
    {"type": "linear", "name": "fc1", "out": 3},
]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def own_folder(settings, tmp_path):
    settings.SKINSITE_DATA = tmp_path


def register(*arguments: str | Path) -> tuple[str, int]:
    out = StringIO()
    try:
        call_command("register_model", *map(str, arguments), stdout=out)
    except SystemExit as end:
        return out.getvalue(), int(end.code or 0)
    return out.getvalue(), 0


def test_a_model_with_a_manifest_is_ready_and_its_report_printed(in_torch, tmp_path) -> None:
    file, manifest = tmp_path / "leaves.pth", tmp_path / "manifest.json"
    in_torch(model_files.save_state_dict, file)
    architecture = {"family": "layers", "layers": LAYERS}
    told = {"name": "Small", "classes": ["mel", "nv", "bcc"], "input": {"width": 32, "height": 32}}
    (tmp_path / "ids.txt").write_text("ISIC_0000001\n\nISIC_0000002\n")
    (tmp_path / "ids.json").write_text('["image-00000"]')
    names = {"Lines": "ids.txt", "Array": "ids.json", "Clinic B": "forgotten.txt"}
    trained = [{"name": name, "images": images} for name, images in names.items()]
    manifest.write_text(json.dumps(told | {"architecture": architecture, "training_data": trained}))
    text, status = register(file, "--manifest", manifest)
    record = ModelRecord.objects.get()
    assert (status, record.state, record.name) == (0, "ready", "Small"), text
    for words in ("Small (version 1): ready", record.upload_sha256, "PyTorch", "Deterministic", "Together"):
        assert words in text
    moved = record.measured["plumbing"]
    assert [row["pictures"] for row in moved] == [6, 6]
    assert all(0 <= row["largest"] <= 1 for row in moved)
    assert record.measured["process_bytes"] > 50e6
    assert set(record.measured["stages_s"]) == {"convert", "prove", "engine"}
    assert ", 0 MB" not in text
    assert {entry.name: entry.identifiers.split() for entry in record.training_sets.all()} == {
        "Lines": ["ISIC_0000001", "ISIC_0000002"],
        "Array": ["image-00000"],
    }
    assert [entry["images"] for entry in record.manifest["training_data"]] == [None, None, "forgotten.txt"]
    assert "Lines: 2 ids are listed" in text
    assert "“forgotten.txt” did not come with the manifest" in text


def test_a_refusal_ends_with_1_and_says_what_to_do(tmp_path) -> None:
    pointer = tmp_path / "model.h5"
    pointer.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1000\n")
    text, status = register(pointer)
    assert status == 1
    assert "git lfs pull" in text
    assert ModelRecord.objects.get().state == "refused"


def test_json_is_the_models_document(tmp_path) -> None:
    page = tmp_path / "model.h5"
    page.write_text("<!DOCTYPE html><html>404</html>")
    text, status = register(page, "--json")
    shown = json.loads(text)
    assert (status, shown["state"], shown["name"]) == (1, "refused", "model")
    assert shown["error"]["hint"]


@pytest.mark.parametrize("manifest", ["{", "[]", '{"a": NaN}', '{"a": "\\u0000"}', "[" * 5000 + "]" * 5000, None])
def test_a_manifest_that_cannot_be_read_registers_nothing(tmp_path, manifest) -> None:
    path = tmp_path / "manifest.json"
    if manifest is not None:
        path.write_text(manifest)
    (tmp_path / "model.h5").write_bytes(b"x")
    with pytest.raises(CommandError, match=r"manifest\.json"):
        register(tmp_path / "model.h5", "--manifest", path)
    assert not ModelRecord.objects.exists()


def test_a_list_that_cannot_be_read_registers_nothing(tmp_path) -> None:
    (tmp_path / "manifest.json").write_text('{"training_data": [{"name": "A", "images": "ids.json"}]}')
    (tmp_path / "ids.json").write_text("[1, 2]")
    (tmp_path / "model.h5").write_bytes(b"x")
    with pytest.raises(CommandError, match=r"ids\.json must list ids as texts"):
        register(tmp_path / "model.h5", "--manifest", tmp_path / "manifest.json")
    assert not ModelRecord.objects.exists()


def test_a_file_that_is_not_there_is_named(tmp_path) -> None:
    with pytest.raises(CommandError, match=r"nothing\.h5 cannot be read"):
        register(tmp_path / "nothing.h5")
