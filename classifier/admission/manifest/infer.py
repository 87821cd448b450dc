"""What a file tells where the manifest is silent; what the manifest declares is checked against the file."""

from classifier.admission.manifest.facts import Facts
from classifier.admission.refusal import Refusal, RefusalCode
from classifier.admission.report import Report
from classifier.inference.input.clinical import get_encoding
from classifier.inference.input.manifest import Json, OutputActivation, PartialInput, PartialManifest

UNKNOWN_SIDE = 224
IMAGENET_MEAN, IMAGENET_STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
CLASSES_HINT = (
    "Give “classes” in the manifest, in the order of the model's outputs: the wrong order makes wrong answers without "
    "any error, and nothing in the file tells it."
)


def infer(
    declared: PartialManifest, facts: Facts, report: Report, *, architecture: Json | None = None
) -> PartialManifest:
    """Return every field that a bundle needs and nobody declared. Raises Refusal where the file contradicts.

    Framework and architecture are always the file's: those that were declared are less exact.
    """
    _check_framework(declared, facts)
    found: Json = {"framework": facts.framework, "architecture": architecture}
    found["classes"] = _other_classes(declared, facts, report)
    found["output"] = _output(declared.output, facts, report)
    found["input"] = _input(declared.input or PartialInput.model_validate({}), facts, report)
    return PartialManifest.model_validate(found)


def _check_framework(declared: PartialManifest, facts: Facts) -> None:
    if declared.framework not in (None, "auto", facts.framework):
        message = f"The manifest says {declared.framework}, and the file is a {facts.framework} file."
        raise Refusal(RefusalCode.FRAMEWORK_MISMATCH, message, "Write “auto”, or leave “framework” out.")


def _other_classes(declared: PartialManifest, facts: Facts, report: Report) -> list[Json]:
    """The classes for outputs that nobody named."""
    named, wanted = len(declared.classes or ()), max(2, facts.outputs)
    what = "1 output, so 2 classes [no, yes]" if facts.outputs == 1 else f"{facts.outputs} outputs"
    if not named:
        message = f"The manifest names no classes, and the file has {what}."
        raise Refusal(RefusalCode.NEEDS_CLASSES, message, CLASSES_HINT)
    if named < wanted and declared.unnamed:
        others = [other(number) for number in range(1, wanted - named + 1)]
        report.passed("classes", f"{named} named, {len(others)} more are other_1 to other_{len(others)}")
        return others
    if named != wanted:
        message = f"The manifest names {named} classes, and the file has {what}."
        raise Refusal(RefusalCode.CLASS_COUNT, message, CLASSES_HINT)
    report.passed("classes", f"{wanted} names for {facts.outputs} outputs")
    return []


def other(number: int) -> Json:
    """The class for an output that nobody named."""
    return {"code": f"other_{number}", "name": f"Other {number}", "malignant": None}


def _output(declared: OutputActivation | None, facts: Facts, report: Report) -> OutputActivation | None:
    if facts.framework == "keras" and facts.output is None and declared is None:
        message = "The last layer is none of softmax, sigmoid, linear: the file does not tell what its numbers are."
        raise Refusal(RefusalCode.NEEDS_OUTPUT, message, "Say in the manifest's “output” what the model ends with.")
    if facts.framework == "keras" and declared is not None and facts.output not in (None, declared):
        message = f"The manifest says that the model ends with {declared}; in the file it ends with {facts.output}."
        hint = f"“output” is what the file itself ends with: write “{facts.output}”, or leave it out."
        raise Refusal(RefusalCode.OUTPUT_MISMATCH, message, hint)
    output = declared or facts.output or "logits"
    if facts.outputs == 1 and output in ("softmax", "log_softmax"):
        message = f"The model has 1 output with {output}: that is the same number for every picture."
        raise Refusal(RefusalCode.CONSTANT_OUTPUT, message, "Train it with a sigmoid, or with two outputs.")
    if declared is None and facts.framework == "torch":
        report.assumed("the outputs are logits")
    else:
        report.passed("output", f"{output}, as {'the manifest says' if declared else 'in the file'}")
    return None if declared else output


def _input(declared: PartialInput, facts: Facts, report: Report) -> Json:
    found: Json = {
        "width": _side("width", declared.width, facts.width, report),
        "height": _side("height", declared.height, facts.height, report),
    }
    _check_clinical(declared.clinical or "none", facts)
    usual = _scaling(facts) | {
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
    for field, value in usual.items():
        if getattr(declared, field) is None:
            found[field] = value
            report.assumed(f"input.{field} is {value}{_why(field, facts)}")
    return found | ({} if declared.clinical else {"clinical": "none"})


def _side(name: str, declared: int | None, fixed: int | None, report: Report) -> int | None:
    if declared and fixed and declared != fixed:
        message = f"The manifest's input {name} is {declared}, and the file takes only {fixed}."
        raise Refusal(RefusalCode.INPUT_SIZE, message, f"Write {fixed}, or leave it out.")
    if not declared and not fixed:
        report.assumed(f"input.{name} is {UNKNOWN_SIDE}: the file takes any size")
    return None if declared else fixed or UNKNOWN_SIDE


def _scaling(facts: Facts) -> Json:
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
    if facts.numbers and get_encoding(clinical).length != facts.numbers:
        length = get_encoding(clinical).length
        message = f"The clinical encoding {clinical} has {length} numbers, and the model takes {facts.numbers}."
        raise Refusal(RefusalCode.CLINICAL_MISMATCH, message, "Name the encoding that the model was trained with.")
    if not facts.numbers and clinical != "none":
        message = f"The manifest has the clinical encoding {clinical}, and the model takes only an image."
        raise Refusal(RefusalCode.CLINICAL_MISMATCH, message, "Leave “input.clinical” out.")
