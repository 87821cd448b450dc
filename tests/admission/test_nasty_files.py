"""Every broken or hostile model file of the shared folder meets the answer that its README asks for."""

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest

from classifier.admission.admit import admit
from classifier.admission.report import AdmissionResult
from tests.conftest import SHARED

FOLDER = SHARED / "data" / "nasty" / "models"
CLASSES = ["akiec", "bcc", "bkl", "df", "mel", "nv", "vasc"]
CHECKPOINT = [
    {"type": "conv2d", "name": "conv1", "out": 8, "kernel": 3},
    {"type": "relu"},
    {"type": "conv2d", "name": "conv2", "out": 16, "kernel": 3},
    {"type": "relu"},
    {"type": "adaptiveavgpool2d"},
    {"type": "flatten"},
    {"type": "linear", "name": "fc", "out": 7},
]
OPENED = {
    **dict.fromkeys(("five_outputs.keras", "nan_weights.keras", "tabular_input.keras"), "keras"),
    **dict.fromkeys(("logits_no_softmax.keras", "ok_tiny_32px_7.keras"), "keras"),
    "checkpoint_wrapped.pth": "torch",
}
"""Harmless files that a framework has to open; the others are looked at behind the sandbox."""
ACCEPTED = {
    "checkpoint_wrapped.pth": {"architecture": {"family": "layers", "layers": CHECKPOINT}},
    "logits_no_softmax.keras": {},
    "ok_tiny_32px_7.keras": {},
}
REFUSED = {
    "custom_layer.keras": ("custom-layer", "lesionlab>Squeeze"),
    "five_outputs.keras": ("class-count", "5 outputs"),
    "h5_external_link.h5": ("external-link", "../outside.h5"),
    "html_page.h5": ("web-page", "web page"),
    "keras_foreign_class.keras": ("foreign-class", "list2cmdline"),
    "keras_ratio_bomb.keras": ("zip-bomb", "assets/zeros.bin"),
    "lambda_canary.keras": ("lambda-layer", "Lambda"),
    "lfs_pointer.h5": ("git-lfs-pointer", "Git LFS pointer"),
    "nan_weights.keras": ("not-finite", "NaN"),
    "ok_tiny_32px_7.onnx": ("onnx", "ONNX"),
    "pickle_canary.pth": ("unsafe-pickle", "io.open"),
    "python_script.h5": ("script", "Python script"),
    "random_bytes.onnx": ("unknown-format", "4,096 bytes"),
    "sklearn_pickle.pkl": ("sklearn-pickle", "scikit-learn"),
    "tabular_input.keras": ("no-image-input", "does not take images"),
    "truncated.h5": ("truncated", "incomplete"),
    "weights_only.h5": ("weights-only", "only weights"),
    "whole_module.pth": ("pickled-model", "__main__.SkinCNN"),
    "zero_bytes.h5": ("empty-file", "empty"),
}


def listed() -> list[str]:
    readme = FOLDER.parent / "README.csv"
    if not readme.is_file():
        return ["README.csv"]
    with readme.open(encoding="utf-8") as rows:
        return [Path(row["file"]).name for row in csv.DictReader(rows) if row["file"].startswith("models/")]


@pytest.fixture(autouse=True)
def nothing_was_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The canaries make their file in the working folder of whoever runs them."""
    monkeypatch.chdir(tmp_path)
    yield
    assert not list(tmp_path.rglob("*WAS_EXECUTED*"))
    assert not list(Path.cwd().glob("*WAS_EXECUTED*"))


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.xdist_group(OPENED.get(name, "nasty"))) for name in listed()]
)
def test_a_listed_file_gets_its_answer(name: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    upload = FOLDER / name
    if not upload.is_file():
        pytest.skip(f"no {upload}: set SKINSITE_SHARED to the folder that holds data/")
    if name in OPENED:
        request.getfixturevalue(f"{OPENED[name]}_children")
    into = tmp_path / "bundles"
    manifest = {"classes": CLASSES, "input": {"width": 32, "height": 32}} | ACCEPTED.get(name, {})
    result = admit(upload=upload, manifest=manifest, into=into)
    if name in ACCEPTED:
        assert_accepted(result, into)
    else:
        assert_refused(result, into, *REFUSED[name])


def assert_accepted(result: AdmissionResult, into: Path) -> None:
    assert result.accepted, result
    assert result.error is None
    assert result.bundle is not None
    assert sorted(path.name for path in result.bundle.iterdir()) == [
        "bundle.json",
        "network.onnx",
        "weights.safetensors",
    ]
    assert list(into.iterdir()) == [result.bundle]
    assert all(check.passed for check in result.report)


def assert_refused(result: AdmissionResult, into: Path, code: str, words: str) -> None:
    assert not result.accepted
    assert result.error is not None
    assert result.error.code == code
    assert words in result.error.message
    assert result.error.hint
    assert result.bundle is None
    assert not list(into.iterdir())
    assert [check.passed for check in result.report] == [True] * (len(result.report) - 1) + [False]
