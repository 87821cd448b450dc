"""Keras files: what becomes a bundle, what is refused, and with which words."""

import io
import zipfile
from pathlib import Path
from typing import Any

import h5py
import pytest

from classifier.admission.admit import admit
from classifier.admission.report import AdmissionResult
from tests.conftest import InProcess
from tests.factories import model_files

CLASSES = ["mel", "nv", "bcc"]
pytestmark = pytest.mark.usefixtures("keras_children")


@pytest.fixture
def upload(tmp_path: Path) -> Path:
    return tmp_path / "upload.keras"


def admitted(upload: Path, manifest: dict[str, Any], **options: Any) -> AdmissionResult:
    return admit(upload=upload, manifest=manifest, into=upload.parent / "bundles", **options)


def refusal(upload: Path, manifest: dict[str, Any]) -> tuple[str, str]:
    result = admitted(upload, manifest)
    assert result.error is not None
    return result.error.code, result.error.message


def details(result: AdmissionResult) -> str:
    return "\n".join(check.detail for check in result.report)


def save(path: Path, options: dict[str, Any]) -> None:
    model_files.save_keras(path, **options)


def test_a_model_that_scales_pixels_itself_gets_its_range(in_keras: InProcess, upload: Path) -> None:
    in_keras(save, upload, {"inside": "rescaling"})
    result = admitted(upload, {"classes": CLASSES})
    assert result.accepted, result.error
    assert result.manifest is not None
    assert result.manifest["input"]["range"] == [0, 255]
    assert (result.manifest["input"]["width"], result.manifest["output"]) == (24, "softmax")
    assert "the model itself scales pixels" in details(result)
    assert result.layer == "conv"


def test_one_sigmoid_names_two_classes(in_keras: InProcess, upload: Path) -> None:
    in_keras(save, upload, {"outputs": 1, "ending": "sigmoid"})
    result = admitted(upload, {"classes": ["nv", "mel"]})
    assert result.accepted, result.error
    assert result.classes == ("nv", "mel")


def test_what_the_manifest_says_must_be_true_of_the_file(in_keras: InProcess, upload: Path) -> None:
    in_keras(save, upload, {"ending": "linear"})
    assert refusal(upload, {"classes": CLASSES, "output": "softmax"})[0] == "output-mismatch"
    assert refusal(upload, {"classes": CLASSES, "input": {"width": 32}})[0] == "input-size"


def test_clinical_numbers_need_an_encoding(in_keras: InProcess, upload: Path) -> None:
    in_keras(save, upload, {"inside": "clinical"})
    code, message = refusal(upload, {"classes": CLASSES})
    assert code == "needs-clinical"
    assert "10 numbers" in message


def test_a_lambda_is_refused_before_keras_sees_it(in_keras: InProcess, upload: Path) -> None:
    in_keras(save, upload, {"inside": "lambda"})
    result = admitted(upload, {"classes": CLASSES})
    assert result.error is not None
    assert result.error.code == "lambda-layer"
    checks = [check.check for check in result.report]
    assert (checks[-1], "rebuild" in checks) == ("configuration", False)


def rewritten(upload: Path, **members: bytes) -> None:
    """Replace or add members of an archive; `dots` in a name are written as double underscores."""
    content = upload.read_bytes()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(upload, "w") as new:
        kept = {name: old.read(name) for name in old.namelist()}
        for name, value in (kept | {name.replace("__", "."): value for name, value in members.items()}).items():
            new.writestr(name, value)


def test_weights_that_lead_out_of_the_archive_are_refused(in_keras: InProcess, upload: Path) -> None:
    in_keras(save, upload, {})
    outside = upload.parent / "outside.h5"
    with h5py.File(outside, "w") as file:
        file["w"] = [1.0]
    linking = io.BytesIO()
    with h5py.File(linking, "w") as file:
        file["layers"] = h5py.ExternalLink(str(outside), "/w")
    rewritten(upload, model__weights__h5=linking.getvalue())
    code, message = refusal(upload, {"classes": CLASSES})
    assert code == "external-link"
    assert "outside.h5" in message


def test_whatever_else_lies_in_the_archive_is_refused(in_keras: InProcess, upload: Path) -> None:
    in_keras(save, upload, {})
    rewritten(upload, run__py=b"print('hello')")
    assert refusal(upload, {"classes": CLASSES}) == (
        "unexpected-member",
        "The .keras archive holds more than a model: run.py.",
    )


def test_a_cut_archive_is_called_incomplete(in_keras: InProcess, upload: Path) -> None:
    in_keras(save, upload, {})
    content = upload.read_bytes()
    upload.write_bytes(content[: len(content) // 2])
    assert refusal(upload, {"classes": CLASSES})[0] == "truncated"


def save_ensemble(path: Path, activation: str) -> None:
    """A compiled model inside, whose features two heads take; the answer is the mean of both."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(0)
    picture = keras.Input((None, None, 3))
    trunk = keras.Sequential([keras.Input((None, None, 3)), layers.Conv2D(4, 3), layers.GlobalAveragePooling2D()])
    trunk.compile("adam", "mse")
    features = trunk(picture / 255.0)
    heads = [layers.Dense(3, activation=activation)(features) for _head in range(2)]
    keras.Model(picture, layers.Average()(heads)).save(path)


def test_a_mean_of_two_heads_that_takes_any_size_is_ready(in_keras: InProcess, upload: Path) -> None:
    in_keras(save_ensemble, upload, "softmax")
    result = admitted(upload, {"classes": CLASSES, "output": "softmax", "input": {"width": 40, "height": 30}})
    assert result.accepted, result.error
    assert result.manifest is not None
    assert result.manifest["input"]["range"] == [0, 255]
    assert "explain the logarithm" in details(result)
    assert "heat maps of 28 by 38" in details(result)


def test_numbers_that_are_no_probabilities_are_refused_as_such(in_keras: InProcess, upload: Path) -> None:
    in_keras(save_ensemble, upload, "linear")
    code, message = refusal(upload, {"classes": CLASSES, "output": "softmax"})
    assert code == "output-mismatch"
    assert "sum to" in message
