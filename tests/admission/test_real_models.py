"""Real models: three of public repositories and the contract's EfficientNet-B2; the portal tests bring an Xception."""

from pathlib import Path
from typing import Any

import pytest

from classifier.admission.admit import admit
from classifier.admission.report import AdmissionResult
from tests.conftest import InProcess
from tests.factories import model_files

ALPHABETICAL = ["akiec", "bcc", "bkl", "df", "mel", "nv", "vasc"]
HMNIST = ["akiec", "bcc", "bkl", "df", "nv", "vasc", "mel"]
CONTRACT = {
    "classes": ["mel", "nv", "bcc", "ak", "bkl", "df", "vasc", "scc"],
    "architecture": {"family": "smp-encoder", "name": "efficientnet-b2", "head": {"pool": "avg", "dropout": 0.3}},
    "input": {"width": 260, "height": 260, "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]},
    "output": "logits",
}


def accepted(upload: Path, manifest: dict[str, Any], into: Path) -> AdmissionResult:
    result = admit(upload=upload, manifest=manifest, into=into)
    assert result.accepted, result.error
    assert result.layer
    return result


@pytest.mark.usefixtures("keras_children")
@pytest.mark.parametrize(
    ("name", "manifest", "parameters"),
    [
        ("itsprizrak__skin_cancer_32px_7.h5", {"classes": ALPHABETICAL}, 384_455),
        ("Vivekg28__melanoma_model.h5", {"classes": ["nv", "mel"]}, 35_697),
    ],
)
def test_a_public_model_is_accepted(
    shared_data: Path, tmp_path: Path, name: str, manifest: dict[str, Any], parameters: int
) -> None:
    result = accepted(shared_data / "models" / name, manifest, tmp_path / "bundles")
    assert result.parameters == parameters
    assert list(result.classes) == manifest["classes"]


@pytest.mark.usefixtures("torch_children")
def test_the_contracts_efficientnet_is_accepted(in_torch: InProcess, tmp_path: Path) -> None:
    upload = tmp_path / "model.pth"
    in_torch(model_files.save_encoder, upload, "head.3")
    result = accepted(upload, CONTRACT, tmp_path / "bundles")
    assert result.architecture == "PyTorch smp-encoder: efficientnet-b2"
    assert result.classes == tuple(CONTRACT["classes"])


@pytest.mark.usefixtures("torch_children")
def test_the_plain_network_is_known_by_its_shapes_and_answers_as_its_note_says(
    shared_data: Path, in_torch: InProcess, tmp_path: Path
) -> None:
    """0.756 on the 193 pictures of val, by bicubic interpolation (models/README.csv)."""
    manifest = {"classes": HMNIST, "input": {"interpolation": "bicubic"}}
    result = accepted(shared_data / "models" / "shivansh65__skin_model.pth", manifest, tmp_path / "bundles")
    assert result.parameters == 421_831
    assert list(result.classes) == HMNIST
    assert result.manifest is not None
    assert result.manifest["architecture"]["layers"] == [
        {"type": "conv2d", "name": "conv1", "out": 32, "kernel": 3, "padding": 1},
        {"type": "relu"},
        {"type": "maxpool2d", "kernel": 2},
        {"type": "conv2d", "name": "conv2", "out": 64, "kernel": 3, "padding": 1},
        {"type": "relu"},
        {"type": "maxpool2d", "kernel": 2},
        {"type": "flatten"},
        {"type": "linear", "name": "fc1", "out": 128},
        {"type": "relu"},
        {"type": "linear", "name": "fc2", "out": 7},
    ]
    assert (result.manifest["input"]["width"], result.manifest["input"]["height"]) == (28, 28)
    assert result.bundle is not None
    assert in_torch(accuracy, result.bundle, shared_data) == pytest.approx(0.756, abs=0.005)


def accuracy(bundle: Path, data: Path) -> float:
    import csv

    import numpy as np
    from PIL import Image

    import classifier.inference.networks.torch  # noqa: F401 (registers its loader)
    from classifier.inference import bundle as bundles
    from classifier.inference.classifier import load, run
    from classifier.inference.input.clinical import Clinical

    found = load(bundles.read(bundle))
    with (data / "labels.csv").open(encoding="utf-8") as rows:
        listed = [(row["file"], row["diagnosis"]) for row in csv.DictReader(rows) if row["split"] == "val"]
    hits = []
    for file, diagnosis in listed:
        picture = np.asarray(Image.open(data / file).convert("RGB"))
        row = run(found, [picture], [Clinical()], maps=False).probabilities[0]
        hits.append(found.manifest.codes[int(row.argmax())] == diagnosis)
    return float(np.mean(hits))
