"""The admission report as a person reads it: facts first, then each check in its group, then what was measured."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from classifier.models import ModelRecord
from classifier.models.model_record import ModelState

GROUPS: Mapping[str, tuple[str, ...]] = {
    "The file": ("confinement", "content", "origin", "archive", "hdf5", "weights", "configuration"),
    "The network": ("rebuild", "architecture", "repair", "framework", "convert"),
    "Inputs and outputs": ("input", "scaling", "clinical", "classes", "output", "unnamed"),
    "Assumed: neither the file nor the manifest says it": ("assumed",),
    "The probe": ("load", "finite", "sum", "sensitivity", "repeat", "layer"),
    "Engines": ("same", "engine"),
    "Training data": ("training",),
    "Time and memory": ("speed", "memory", "bundle", "limits"),
}
ELSE = "Also looked at"
LABELS: Mapping[str, str] = {
    "confinement": "Isolation",
    "content": "Format",
    "origin": "Origin",
    "archive": "Archive",
    "hdf5": "HDF5",
    "weights": "Weights",
    "configuration": "Configuration",
    "rebuild": "Rebuilt",
    "architecture": "Architecture",
    "repair": "Repaired",
    "framework": "Framework",
    "convert": "Converted",
    "input": "Input",
    "scaling": "Normalisation inside",
    "clinical": "Beside the image",
    "classes": "Classes",
    "output": "Ends with",
    "unnamed": "Outputs without a name",
    "assumed": "Assumed",
    "load": "Loads again",
    "finite": "Finite",
    "sum": "Sums to 1",
    "sensitivity": "Sensitive to the picture",
    "repeat": "Deterministic",
    "layer": "Heat maps",
    "same": "Native engine",
    "engine": "ONNX Runtime",
    "speed": "Time",
    "memory": "Memory",
    "bundle": "Bundle",
    "limits": "Limits",
    "training": "Trained on",
    "crash": "Reader",
}
STAGES: Mapping[str, str] = {
    "convert": "Open, rebuild and convert",
    "prove": "Load again and prove",
    "engine": "Try the faster engine",
}


@dataclass(frozen=True)
class Line:
    """One check; `verdict` is passed, note (did not pass, and is no reason to refuse), assumed or refused."""

    label: str
    verdict: str
    detail: str


@dataclass(frozen=True)
class Group:
    title: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class AdmissionReport:
    """`facts` are (label, value) pairs; `sensitivities` as the probe measured them, the largest first."""

    facts: tuple[tuple[str, str], ...]
    groups: tuple[Group, ...]
    sensitivities: tuple[dict[str, Any], ...]
    stages: tuple[tuple[str, float], ...]
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        return sum(seconds for _stage, seconds in self.stages)


def report_of(record: ModelRecord) -> AdmissionReport:
    """Return the report of a model that is ready, refused or retired; an empty one while it is being checked."""
    rows = [row for row in record.report if row["check"] != "plumbing" or not record.measured.get("plumbing")]
    refused = record.state == ModelState.REFUSED
    lines = [(row["check"], _line(row, refused and number == len(rows) - 1)) for number, row in enumerate(rows)]
    sensitivities = sorted(record.measured.get("plumbing", []), key=lambda row: -row["largest"])
    stages = record.measured.get("stages_s", {})
    verdicts = [line.verdict for _check, line in lines]
    return AdmissionReport(
        facts=tuple(_facts(record)),
        groups=tuple(_groups(lines)),
        sensitivities=tuple(sensitivities),
        stages=tuple((STAGES.get(stage, stage), seconds) for stage, seconds in stages.items()),
        counts={verdict: verdicts.count(verdict) for verdict in ("passed", "assumed", "note", "refused")},
    )


def _line(row: Mapping[str, Any], is_reason: bool) -> Line:
    verdict = "passed" if row["passed"] else "refused" if is_reason else "note"
    if row["check"] == "assumed":
        verdict = "assumed"
    detail = str(row["detail"]).removeprefix("assumed: ")
    return Line(LABELS.get(row["check"], row["check"]), verdict, detail)


def _groups(lines: list[tuple[str, Line]]) -> Iterable[Group]:
    known = {check for checks in GROUPS.values() for check in checks}
    for title, checks in {**GROUPS, ELSE: ()}.items():
        found = tuple(line for check, line in lines if (check in checks if title != ELSE else check not in known))
        if found:
            yield Group(title, found)


def _facts(record: ModelRecord) -> Iterable[tuple[str, str]]:
    details = {row["check"]: row["detail"] for row in reversed(record.report)}
    repairs = sum(row["check"] == "repair" for row in record.report)
    yield "Original", record.upload_name
    yield "SHA-256 of the original", record.upload_sha256
    if "content" in details:
        yield "Format", details["content"]
    if "origin" in details:
        yield "Saved by", details["origin"]
    if record.architecture:
        yield "Network", record.architecture
    if record.parameters:
        yield "Parameters", f"{record.parameters:,}"
    if record.manifest.get("input", {}).get("width"):
        yield from _sides(record)
        yield "Normalisation inside", details.get("scaling", "none found: the portal brings pixels to their range")
        yield "Repairs", f"{repairs}" if repairs else "none was needed"
    if record.sha256:
        yield "SHA-256 of the weights", record.sha256


def _sides(record: ModelRecord) -> Iterable[tuple[str, str]]:
    given = record.manifest["input"]
    clinical = f", and age, sex and site as {given['clinical']}" if record.uses_clinical else ""
    yield "Takes", f"{given.get('width')} × {given.get('height')} px, {given.get('color', 'rgb').upper()}{clinical}"
    yield "Gives", f"{len(record.classes)} classes, {record.manifest.get('output', 'probabilities')}"
