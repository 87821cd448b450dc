"""What the manifest leaves out is inferred from the file; what contradicts the file is refused."""

from typing import Any

import pytest

from classifier.admission.manifest import merge
from classifier.admission.manifest.facts import Facts
from classifier.admission.refusal import Refusal
from classifier.admission.report import Report
from classifier.inference.input.manifest import Manifest

KERAS = Facts("keras", "a network", outputs=3, parameters=1, width=64, height=48, output="softmax")
TORCH = Facts("torch", "a network", outputs=3, parameters=1, pretrained_family=True)
CLASSES = ["mel", "nv", "bcc"]


def facts(base: Facts = KERAS, **changes: Any) -> Facts:
    return Facts(**(vars(base) | changes))


def complete(declared: dict[str, Any], known: Facts, report: Report) -> Manifest:
    return merge.complete(merge.read_declared(declared), known, report)[1]


def code_of(manifest: dict[str, Any], known: Facts = KERAS) -> str:
    with pytest.raises(Refusal) as refusal:
        complete(manifest, known, Report())
    assert refusal.value.problem.hint
    return refusal.value.problem.code


def test_the_file_fills_the_manifest() -> None:
    manifest = complete({"classes": CLASSES, "framework": "auto", "input": None}, KERAS, Report())
    assert (manifest.framework, manifest.output) == ("keras", "softmax")
    assert (manifest.input.width, manifest.input.height, manifest.input.antialias) == (64, 48, False)


def test_what_was_given_stays() -> None:
    given = {"name": "Mine", "classes": CLASSES, "input": {"color": "bgr", "range": [-1, 1], "antialias": True}}
    manifest = complete(given, KERAS, Report())
    assert manifest.name == "Mine"
    assert manifest.input.model_dump(mode="json", include=set(given["input"])) == given["input"]


def test_every_guess_is_a_line() -> None:
    report = Report()
    complete({"classes": CLASSES}, TORCH, report)
    assumed = [check.detail for check in report.checks if check.check == "assumed"]
    assert all(line.startswith("assumed: ") for line in assumed)
    assert "assumed: the outputs are logits" in assumed
    assert "assumed: input.width is 224: the file takes any size" in assumed
    assert any("ImageNet" in line for line in assumed)


def test_a_network_that_scales_pixels_gets_them_unscaled() -> None:
    report = Report()
    manifest = complete({"classes": CLASSES}, facts(scales=("rescaling",)), report)
    assert manifest.input.range == (0, 255)
    assert any("rescaling" in check.detail for check in report.checks)


@pytest.mark.parametrize(
    ("manifest", "known", "code"),
    [
        ({}, KERAS, "needs-classes"),
        ({"classes": ["mel", "nv"]}, KERAS, "class-count"),
        ({"classes": [*CLASSES, "df"], "unnamed": "other"}, KERAS, "class-count"),
        ({"classes": ["mel"]}, facts(outputs=1, output="sigmoid"), "class-count"),
        ({"classes": CLASSES, "framework": "torch"}, KERAS, "framework-mismatch"),
        ({"classes": CLASSES, "output": "logits"}, KERAS, "output-mismatch"),
        ({"classes": CLASSES}, facts(output=None), "needs-output"),
        ({"classes": ["nv", "mel"]}, facts(outputs=1), "constant-output"),
        ({"classes": CLASSES, "input": {"width": 65}}, KERAS, "input-size"),
        ({"classes": CLASSES}, facts(numbers=10), "needs-clinical"),
        ({"classes": CLASSES, "input": {"clinical": "sklesion"}}, facts(numbers=9), "clinical-mismatch"),
        ({"classes": CLASSES, "input": {"clinical": "sklesion"}}, KERAS, "clinical-mismatch"),
    ],
)
def test_a_contradiction_is_refused(manifest: dict[str, Any], known: Facts, code: str) -> None:
    assert code_of(manifest, known) == code


def test_missing_classes_are_counted() -> None:
    with pytest.raises(Refusal, match="3 outputs"):
        complete({}, KERAS, Report())
    with pytest.raises(Refusal, match="2 classes"):
        complete({}, facts(outputs=1, output="sigmoid"), Report())


def test_unnamed_outputs_become_others_where_the_manifest_allows_it() -> None:
    manifest = complete({"classes": ["mel"], "unnamed": "other"}, KERAS, Report())
    assert manifest.codes == ("mel", "other_1", "other_2")


@pytest.mark.parametrize(
    ("known", "words"), [(facts(width=4096), "input.width must be a whole number"), (facts(outputs=1500), "classes")]
)
def test_a_file_that_no_manifest_fits_is_refused(known: Facts, words: str) -> None:
    with pytest.raises(Refusal, match=words) as refusal:
        complete({"classes": CLASSES, "unnamed": "other"}, known, Report())
    assert refusal.value.problem.code == "bad-manifest"
