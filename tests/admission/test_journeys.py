"""One file of each framework goes the whole way behind the real sandbox; the other tests play the children."""

from pathlib import Path
from typing import Any

import pytest

from classifier.admission.admit import admit
from classifier.inference import bundle
from skinsite.sandbox import confine
from tests.conftest import InProcess
from tests.factories import model_files

pytestmark = pytest.mark.skipif(bool(confine.missing()), reason=f"this kernel lacks {confine.missing()}")
CLASSES = ["mel", "nv", "bcc"]
STAGES = ["content", "confinement", "origin", "load", "engine", "bundle"]
LAYERS = [
    {"type": "conv2d", "name": "conv1", "out": 8, "kernel": 3, "padding": 1},
    {"type": "relu"},
    {"type": "maxpool2d", "kernel": 2},
    {"type": "flatten"},
    {"type": "linear", "name": "fc1", "out": 3},
]


def save_keras(path: Path) -> None:
    model_files.save_keras(path, inside="rescaling")


def test_a_torch_file_becomes_a_bundle_with_an_engine(in_torch: InProcess, tmp_path: Path) -> None:
    in_torch(model_files.save_state_dict, tmp_path / "upload.pth")
    architecture = {"family": "layers", "layers": LAYERS}
    goes_the_whole_way(tmp_path / "upload.pth", {"architecture": architecture, "input": {"width": 32, "height": 32}})


def test_a_keras_file_becomes_a_bundle_with_an_engine(in_keras: InProcess, tmp_path: Path) -> None:
    in_keras(save_keras, tmp_path / "upload.keras")
    goes_the_whole_way(tmp_path / "upload.keras", {})


def goes_the_whole_way(upload: Path, manifest: dict[str, Any]) -> None:
    into = upload.parent / "bundles"
    outcome = admit(upload=upload, manifest=manifest | {"classes": CLASSES}, into=into)
    assert outcome.accepted, outcome.error
    assert all(check.passed for check in outcome.report), outcome.report
    assert [check.check for check in outcome.report if check.check in STAGES] == STAGES
    assert "seccomp" in next(check.detail for check in outcome.report if check.check == "confinement")
    assert (outcome.engine, outcome.classes) == ("onnxruntime", tuple(CLASSES))
    assert outcome.measured["peak_memory_bytes"] > 50 * 1024**2
    assert outcome.measured["stages_s"].keys() == {"convert", "prove", "engine"}
    assert outcome.bundle is not None
    assert bundle.read(outcome.bundle).layer == outcome.layer != ""
    assert list(into.iterdir()) == [outcome.bundle]
