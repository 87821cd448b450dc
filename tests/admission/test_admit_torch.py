"""PyTorch files: what becomes a bundle, what is refused, and with which words."""

import json
import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import pytest

from classifier.admission.admit import admit
from classifier.admission.report import AdmissionResult
from tests.conftest import InProcess
from tests.factories import model_files

LAYERS = [
    {"type": "conv2d", "name": "conv1", "out": 8, "kernel": 3, "stride": 1, "padding": 1},
    {"type": "relu"},
    {"type": "maxpool2d", "kernel": 2},
    {"type": "flatten"},
    {"type": "linear", "name": "fc1", "out": 3},
]
MANIFEST: dict[str, Any] = {
    "name": "Small",
    "architecture": {"family": "layers", "layers": LAYERS},
    "classes": ["mel", "nv", {"code": "rust", "name": "Rust", "malignant": None}],
    "input": {"width": 32, "height": 32},
}
pytestmark = pytest.mark.usefixtures("torch_children")


@pytest.fixture
def upload(tmp_path: Path) -> Path:
    return tmp_path / "upload"


def admitted(upload: Path, manifest: dict[str, Any] = MANIFEST, **options: Any) -> AdmissionResult:
    return admit(upload=upload, manifest=manifest, into=upload.parent / "bundles", **options)


def code_of(result: AdmissionResult) -> str:
    assert not result.accepted
    assert result.error is not None
    return result.error.code


def details(result: AdmissionResult) -> str:
    return "\n".join(check.detail for check in result.report)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "none missing"),
        ({"wrapped": True}, "“model_state_dict”"),
        ({"legacy": True, "prefix": "module.model."}, "“module.model.” was taken off"),
    ],
)
def test_a_state_dict_becomes_a_bundle(in_torch: InProcess, upload: Path, options: dict[str, Any], said: str) -> None:
    in_torch(save, upload, options)
    result = admitted(upload)
    assert result.accepted, result.error
    assert said in details(result)
    assert (result.framework, result.parameters) == ("torch", 3 * 8 * 9 + 8 + 2048 * 3 + 3)
    assert result.classes == ("mel", "nv", "rust")
    assert result.layer
    assert result.measured.keys() >= {"predict_ms", "load_ms", "process_bytes", "predict_bytes", "plumbing"}
    assert result.manifest is not None
    assert result.manifest["input"]["antialias"] is True
    assert "assumed: the outputs are logits" in details(result)


def save(path: Path, options: dict[str, Any]) -> None:
    model_files.save_state_dict(path, **options)


def test_safetensors_and_half_precision_are_taken(in_torch: InProcess, upload: Path) -> None:
    in_torch(model_files.save_safetensors, upload)
    first = admitted(upload)
    in_torch(model_files.save_half_precision, upload)
    second = admitted(upload)
    assert first.accepted
    assert second.accepted
    assert "float16" in details(second)


def test_the_same_upload_twice_is_one_bundle_and_other_classes_are_another(in_torch: InProcess, upload: Path) -> None:
    """Records with the same weights and another order of classes must not share a description."""
    in_torch(model_files.save_state_dict, upload)
    first, second = admitted(upload), admitted(upload)
    other = admitted(upload, MANIFEST | {"classes": ["nv", "mel", "bcc"]})
    assert first.bundle == second.bundle
    assert other.bundle not in (None, first.bundle)
    assert other.sha256 == first.sha256
    description = json.loads((first.bundle / "bundle.json").read_bytes()) if first.bundle else {}
    assert [entry["code"] for entry in description["manifest"]["classes"]] == ["mel", "nv", "rust"]


@pytest.mark.parametrize("damage", ["cut", "gone", "spare folder"])
def test_a_damaged_bundle_is_repaired_by_the_same_upload(in_torch: InProcess, upload: Path, damage: str) -> None:
    in_torch(model_files.save_state_dict, upload)
    first = admitted(upload)
    assert first.bundle is not None
    weights = first.bundle / "weights.safetensors"
    whole, files = weights.read_bytes(), sorted(path.name for path in first.bundle.iterdir())
    {
        "cut": lambda: weights.write_bytes(whole[:-100]),
        "gone": weights.unlink,
        "spare folder": (first.bundle / "spare").mkdir,
    }[damage]()
    second = admitted(upload)
    assert second.bundle == first.bundle
    assert weights.read_bytes() == whole
    assert sorted(path.name for path in first.bundle.iterdir()) == files


def test_an_empty_architecture_is_none(in_torch: InProcess, upload: Path) -> None:
    in_torch(model_files.save_state_dict, upload)
    result = admitted(upload, MANIFEST | {"architecture": {}})
    assert result.accepted, result.error


def test_an_encoder_with_a_head_needs_no_architecture(in_torch: InProcess, upload: Path) -> None:
    """Untrained, its features are about 1e-11: accepted, with a line that says so."""
    in_torch(model_files.save_encoder, upload, "classification_head.1")
    classes = ["mel", "nv", "bcc", "ak", "bkl", "df", "vasc", "scc"]
    result = admitted(upload, {"classes": classes, "input": {"width": 96, "height": 96}})
    assert result.accepted, result.error
    assert result.architecture == "PyTorch smp-encoder: efficientnet-b2"
    assert (
        "assumed: the architecture is efficientnet-b2, segmentation-models-pytorch layout, head 352→8: all names and "
        "shapes agree" in details(result)
    )
    assert "assumed: the head takes the average of each channel of the encoder's deepest features" in details(result)
    assert "100 % of tensors placed" in details(result)
    assert result.manifest is not None
    assert result.manifest["architecture"]["name"] == "efficientnet-b2"
    assert "the layer “classification_head.1” of the file is the network's “head.3”" in details(result)
    assert [check.check for check in result.report if not check.passed] == ["sensitivity"]


def test_a_plain_network_needs_no_architecture(in_torch: InProcess, upload: Path) -> None:
    in_torch(model_files.save_state_dict, upload)
    result = admitted(upload, {"classes": MANIFEST["classes"]})
    assert result.accepted, result.error
    assert result.manifest is not None
    kinds = [layer["type"] for layer in result.manifest["architecture"]["layers"]]
    assert kinds == ["conv2d", "relu", "maxpool2d", "flatten", "linear"]
    assert (result.manifest["input"]["width"], result.manifest["input"]["height"]) == (32, 32)
    for guess in (
        "assumed: ReLU after each convolution",
        "assumed: 2×2 max pooling after each convolution",
        "assumed: convolutions are padded by (k−1)/2",
        "assumed: pictures are 32 by 32 pixels: 2048 features are 8 channels of 16 by 16",
    ):
        assert guess in details(result)


def test_another_head_on_a_known_network_is_built(in_torch: InProcess, upload: Path) -> None:
    in_torch(model_files.save_new_head, upload)
    result = admitted(upload, {"classes": MANIFEST["classes"], "input": {"width": 64, "height": 64}})
    assert result.accepted, result.error
    assert "mobilenet_v3_small, torchvision layout, head 576→32→3, 100 % of tensors placed" in details(result)
    assert "assumed: there is a ReLU before the layer “module.classifier.3” of the head" in details(result)
    named = {"family": "torchvision", "name": "mobilenet_v3_small"}
    again = admitted(upload, {**MANIFEST, "architecture": named, "input": {"width": 64, "height": 64}})
    assert again.bundle is not None
    assert again.sha256 == result.sha256
    assert again.manifest is not None
    assert again.manifest["architecture"]["head"]["at"] == "classifier"


def test_networks_that_answer_differently_are_offered_and_one_can_be_chosen(in_torch: InProcess, upload: Path) -> None:
    in_torch(model_files.save_timm, upload, "tf_mobilenetv3_small_100")
    manifest = {"classes": MANIFEST["classes"], "input": {"width": 64, "height": 64}}
    refused = admitted(upload, manifest)
    assert code_of(refused) == "needs-choice"
    assert refused.error is not None
    offered = {candidate["architecture"]["name"]: candidate for candidate in refused.error.candidates}
    assert set(offered) == {"mobilenetv3_small_100", "tf_mobilenetv3_small_100"}
    assert "0.001" in offered["tf_mobilenetv3_small_100"]["differs"]
    chosen = admitted(upload, manifest | {"architecture": offered["tf_mobilenetv3_small_100"]["architecture"]})
    assert chosen.accepted, chosen.error
    assert chosen.architecture == "PyTorch timm: tf_mobilenetv3_small_100"


def test_a_network_of_somebodys_own_needs_its_architecture(in_torch: InProcess, upload: Path) -> None:
    in_torch(model_files.save_shortcut, upload)
    refused = admitted(upload, {"classes": MANIFEST["classes"]})
    assert code_of(refused) == "needs-architecture"


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ({"architecture": {"family": "nonsense"}}, "unknown-architecture", "nonsense"),
        ({"architecture": {"family": "timm", "name": "hf-hub:someone/model"}}, "unknown-architecture", "hf-hub"),
        ({"architecture": {"family": "timm", "name": "resnet18"}}, "weights-do-not-fit", "and"),
        ({"input": {"width": 28, "height": 28}}, "weights-do-not-fit", "3 by 2048 and should be 3 by 1568"),
        ({"classes": ["mel", "nv", "no code!"]}, "bad-manifest", "classes[2]"),
        ({"classes": "mel"}, "bad-manifest", "classes"),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(
    in_torch: InProcess, upload: Path, change: dict[str, Any], code: str, words: str
) -> None:
    in_torch(model_files.save_state_dict, upload)
    result = admitted(upload, MANIFEST | change)
    assert code_of(result) == code
    assert result.error is not None
    assert words in result.error.message


def test_missing_and_spare_weights_are_listed(in_torch: InProcess, upload: Path) -> None:
    in_torch(model_files.save_without, upload, "fc1.bias")
    result = admitted(upload)
    assert code_of(result) == "weights-do-not-fit"
    assert result.error is not None
    assert "fc1.bias is missing" in result.error.message
    assert "spare.weight has no place" in result.error.message


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (model_files.save_nan, "not-finite"),
        (model_files.save_dead, "same-answer"),
        (model_files.save_torchscript, "torchscript"),
    ],
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_useless_file_is_refused(in_torch: InProcess, upload: Path, make: Any, code: str) -> None:
    in_torch(make, upload)
    assert code_of(admitted(upload)) == code


class Canary:
    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, ("PICKLE_WAS_EXECUTED",)


@pytest.mark.parametrize("zipped", [False, True])
def test_a_pickle_that_would_run_code_never_does(upload: Path, monkeypatch: pytest.MonkeyPatch, zipped: bool) -> None:
    monkeypatch.chdir(upload.parent)
    upload.write_bytes(pickle.dumps({"weight": Canary()}, protocol=2))
    if zipped:
        content = upload.read_bytes()
        with zipfile.ZipFile(upload, "w") as archive:
            archive.writestr("model/data.pkl", content)
    result = admitted(upload)
    assert code_of(result) == "unsafe-pickle"
    assert result.error is not None
    assert "posix.mkdir" in result.error.message
    assert not list(upload.parent.rglob("PICKLE_WAS_EXECUTED"))


def test_the_layer_of_the_maps_can_be_chosen(in_torch: InProcess, upload: Path) -> None:
    in_torch(save, upload, {})
    usual = admitted(upload)
    chosen = admitted(upload, MANIFEST | {"layer": "conv1"})
    assert usual.engine == "onnxruntime", details(usual)
    assert usual.layer != "conv1"
    assert chosen.layer == "conv1", chosen.error
    assert "heat maps of 32 by 32" in details(chosen)
    unknown = admitted(upload, MANIFEST | {"layer": "layer4"})
    assert code_of(unknown) == "no-such-layer"
    assert unknown.error is not None
    assert "conv1" in unknown.error.hint
