"""The complete manifest: what the administrator said, checked against the file, and a proposal for the rest."""

import copy
from typing import Any

from classifier.admission.manifest.facts import Ending, Facts
from classifier.admission.refusal import Refusal, RefusalCode
from classifier.admission.report import Report
from classifier.inference.input.clinical import encoding_names, get_encoding
from classifier.inference.input.manifest import DEFAULTS

UNKNOWN_SIDE = 224
IMAGENET_MEAN, IMAGENET_STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
CLASSES_HINT = (
    "Give “classes” in the manifest, in the order of the model's outputs: the wrong order makes wrong answers without "
    "any error, and nothing in the file tells it."
)


def complete(manifest: dict[str, Any], facts: Facts, report: Report) -> dict[str, Any]:
    """Return the manifest with every field that a bundle needs. Raises Refusal where it contradicts the file."""
    settled = {"name": DEFAULTS["name"], "version": DEFAULTS["version"], **_told(manifest)}
    _settle_framework(settled, facts)
    settled["classes"] = _classes(manifest, facts, report)
    settled["output"] = _output(manifest, facts, report)
    settled["input"] = _input(manifest.get("input") or {}, facts, report)
    return settled


def _told(manifest: dict[str, Any]) -> dict[str, Any]:
    return {name: copy.deepcopy(value) for name, value in manifest.items() if value is not None}


def _settle_framework(settled: dict[str, Any], facts: Facts) -> None:
    wanted = settled.get("framework") or "auto"
    if wanted not in ("auto", facts.framework):
        message = f"The manifest says {wanted}, and the file is a {facts.framework} file."
        raise Refusal(RefusalCode.FRAMEWORK_MISMATCH, message, "Write “auto”, or leave “framework” out.")
    settled["framework"] = facts.framework


def _classes(manifest: dict[str, Any], facts: Facts, report: Report) -> list[Any]:
    given = list(manifest.get("classes") or [])
    wanted = 2 if facts.outputs == 1 else facts.outputs
    what = "1 output, so 2 classes [no, yes]" if facts.outputs == 1 else f"{facts.outputs} outputs"
    if not given:
        message = f"The manifest names no classes, and the file has {what}."
        raise Refusal(RefusalCode.NEEDS_CLASSES, message, CLASSES_HINT)
    if len(given) < wanted and manifest.get("unnamed") == "other":
        others = [other(number) for number in range(1, wanted - len(given) + 1)]
        report.passed("classes", f"{len(given)} named, {len(others)} more are other_1 to other_{len(others)}")
        return given + others
    if len(given) != wanted:
        message = f"The manifest names {len(given)} classes, and the file has {what}."
        raise Refusal(RefusalCode.CLASS_COUNT, message, CLASSES_HINT)
    report.passed("classes", f"{wanted} names for {facts.outputs} outputs")
    return given


def other(number: int) -> dict[str, Any]:
    """The class for an output that nobody named."""
    return {"code": f"other_{number}", "name": f"Other {number}", "malignant": None}


def _output(manifest: dict[str, Any], facts: Facts, report: Report) -> str:
    given = manifest.get("output")
    if facts.ending is None and not given and facts.framework == "keras":
        message = "The last layer is none of softmax, sigmoid, linear: the file does not tell what its numbers are."
        raise Refusal(RefusalCode.NEEDS_OUTPUT, message, "Say in the manifest's “output” what the model ends with.")
    if given and facts.ending is not None and facts.framework == "keras" and given != facts.ending:
        message = f"The manifest says that the model ends with {given}; in the file it ends with {facts.ending}."
        hint = f"“output” is what the file itself ends with: write “{facts.ending}”, or leave it out."
        raise Refusal(RefusalCode.OUTPUT_MISMATCH, message, hint)
    output = str(given or facts.ending or Ending.LOGITS)
    if facts.outputs == 1 and output in (Ending.SOFTMAX, Ending.LOG_SOFTMAX):
        message = f"The model has 1 output with {output}: that is the same number for every picture."
        raise Refusal(RefusalCode.CONSTANT_OUTPUT, message, "Train it with a sigmoid, or with two outputs.")
    if not given and facts.framework == "torch":
        report.assumed("the outputs are logits")
    else:
        report.passed("output", f"{output}, as {'the manifest says' if given else 'in the file'}")
    return output


def _input(given: dict[str, Any], facts: Facts, report: Report) -> dict[str, Any]:
    settled = _told(given)
    settled["width"] = _side("width", given.get("width"), facts.width, report)
    settled["height"] = _side("height", given.get("height"), facts.height, report)
    _check_clinical(given.get("clinical") or "none", facts)
    settled.setdefault("clinical", "none")
    proposal = _scaling(facts) | {
        "resize": "stretch",
        "interpolation": "bilinear",
        "antialias": facts.framework == "torch",
        "color": "rgb",
    }
    if facts.scales:
        low, high = facts.range
        layers = ", ".join(facts.scales)
        report.passed("scaling", f"the model itself scales pixels, in {layers}: it expects {low} to {high}")
    if facts.unread:
        message = f"unknown: what “{facts.unread}” does to the pixels could not be read, nor which range it expects"
        report.warned("scaling", message)
    for field, value in proposal.items():
        if given.get(field) is None:
            settled[field] = value
            report.assumed(f"input.{field} is {value}{_why(field, facts)}")
    return settled


def _side(name: str, given: Any, fixed: int | None, report: Report) -> int:
    if given and fixed and given != fixed:
        message = f"The manifest's input {name} is {given}, and the file takes only {fixed}."
        raise Refusal(RefusalCode.INPUT_SIZE, message, f"Write {fixed}, or leave it out.")
    if not given and not fixed:
        report.assumed(f"input.{name} is {UNKNOWN_SIDE}: the file takes any size")
    return int(given or fixed or UNKNOWN_SIDE)


def _scaling(facts: Facts) -> dict[str, Any]:
    plain = {"mean": [0, 0, 0], "std": [1, 1, 1]}
    if facts.scales:
        return {"range": list(facts.range), **plain}
    if facts.pretrained_family:
        return {"range": [0, 1], "mean": IMAGENET_MEAN, "std": IMAGENET_STD}
    return {"range": [0, 1], **plain}


def _why(field: str, facts: Facts) -> str:
    if field == "range" and facts.scales:
        return ": the model itself scales pixels"
    if field in ("mean", "std") and facts.pretrained_family:
        return ", as for weights that began with ImageNet"
    return ""


def _check_clinical(clinical: str, facts: Facts) -> None:
    if facts.numbers and clinical == "none":
        message = f"Beside the image the model takes {facts.numbers} numbers, and the manifest does not say which."
        hint = "Name their encoding in “input.clinical”, for example “sklesion” (age, sex and site in 10 numbers)."
        raise Refusal(RefusalCode.NEEDS_CLINICAL, message, hint)
    if facts.numbers and clinical in encoding_names() and get_encoding(clinical).length != facts.numbers:
        length = get_encoding(clinical).length
        message = f"The clinical encoding {clinical} has {length} numbers, and the model takes {facts.numbers}."
        raise Refusal(RefusalCode.CLINICAL_MISMATCH, message, "Name the encoding that the model was trained with.")
    if not facts.numbers and clinical != "none":
        message = f"The manifest has the clinical encoding {clinical}, and the model takes only an image."
        raise Refusal(RefusalCode.CLINICAL_MISMATCH, message, "Leave “input.clinical” out.")
