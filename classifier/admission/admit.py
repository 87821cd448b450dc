"""Admit an untrusted model file: sniffed here, opened, proven and given an engine in one confined child each."""

import logging
import os
import stat
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from classifier.admission import child_output, staged_bundle
from classifier.admission.formats import sniff
from classifier.admission.manifest import merge
from classifier.admission.manifest.schemas import CONVERTED, OFFERED, PROBED
from classifier.admission.refusal import Problem, Refusal, RefusalCode
from classifier.admission.report import AdmissionResult, Report
from classifier.inference.bundle import GRAPH
from classifier.inference.engines import NATIVE, ONNX
from skinsite.sandbox import confine, scratch
from skinsite.sandbox.ask import ChildStopped, InvalidChildOutput, ask, plain
from skinsite.sandbox.run import ChildResult, ExitReason, Limits

__all__ = ["AdmissionResult", "admit"]

GIB = 1024**3
SECONDS = 60.0
BYTES_A_SECOND = 4 * 1024**2  # what a large honest file gets on top, and how many copies of it the memory may hold
COPIES = 5
# How far size alone raises the limits: a padded file must not buy the machine, nor the time that the worker's task has.
MOST_SECONDS = 300.0
MOST_MEMORY = 6 * GIB
SHARE = 3 / 4  # of the machine's memory, which no limit passes
WALL_SECONDS = 780.0  # all children together, also on a busy machine; the task is killed after 900
CONVERT = "classifier.admission.stages.convert:convert"
PROBE = "classifier.admission.stages.probe:probe"
OFFER = "classifier.admission.stages.onnx_engine:offer"
ENGINE_SECONDS = 40.0
SMALLER = "Register a smaller model; the limit is the operator's."

log = logging.getLogger(__name__)


@dataclass
class _Job:
    """What all steps of one admission share: the `seconds` left, and a `deadline` by the monotonic clock."""

    scratch: Path
    seconds: float
    memory: int
    deadline: float
    unconfined: bool


def admit(
    *,
    upload: Path,
    manifest: dict[str, Any],
    into: Path,
    time_limit_s: float = SECONDS,
    memory_limit: int = 2 * GIB,
    unconfined: bool = False,
) -> AdmissionResult:
    """Turn an upload into a verified bundle in a new folder below `into`, or say why not.

    `time_limit_s` (seconds) bounds conversion and probe together, `memory_limit` (bytes) each child; a large file gets
    a second more for each 4 MiB, and five times its size, up to MOST_SECONDS and MOST_MEMORY. An engine has
    ENGINE_SECONDS at least; WALL_SECONDS bounds everything. This process reads 512 bytes of the upload and imports no
    framework. A bad file never raises; an unreadable disk does (OSError).
    """
    report = Report()
    try:
        _require_isolation(unconfined)
        into.mkdir(parents=True, exist_ok=True)
        scratch.remove_abandoned(into)
        with _opened(upload) as descriptor, scratch.opened(into) as folder:
            size = os.fstat(descriptor).st_size
            job = _Job(
                folder,
                max(time_limit_s, min(MOST_SECONDS, time_limit_s + size / BYTES_A_SECOND)),
                _memory(memory_limit, size),
                time.monotonic() + WALL_SECONDS,
                unconfined,
            )
            return _admit(descriptor, manifest, into, job, report)
    except _Answered as refusal:
        return AdmissionResult(False, report.checks, refusal.problem)
    except Refusal as refusal:
        report.refused(refusal)
        return AdmissionResult(False, report.checks, refusal.problem)


def _memory(limit: int, size: int) -> int:
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return min(max(limit, min(MOST_MEMORY, limit // 2 + COPIES * size)), int(machine * SHARE))


def _admit(descriptor: int, manifest: dict[str, Any], into: Path, job: _Job, report: Report) -> AdmissionResult:
    declared = merge.read_declared(manifest)
    size = os.fstat(descriptor).st_size
    kind = sniff.sniff(os.pread(descriptor, sniff.HEAD_BYTES, 0), size)
    report.passed("content", f"{kind}, {size:,} bytes")

    request = {"descriptor": descriptor, "kind": kind, "manifest": declared.to_json()}
    given = (descriptor,)
    converted, converting = _run(CONVERT, request, "convert", CONVERTED, job, report, descriptors=given, size=size)
    try:
        complete = merge.merged(declared, converted["inferred"])
        bundle = staged_bundle.take(job.scratch / "convert" / "bundle", job.scratch / "bundle", complete)
    except InvalidChildOutput as error:
        log.warning("The bundle is not used: %s", error)
        raise _untrustworthy() from error

    request = {"bundle": str(bundle.folder), "expected": converted["outputs"]}
    probed, probing = _run(PROBE, request, "probe", PROBED, job, report, readable=(bundle.folder,), size=size)
    layer = probed["layer"]
    bundle, graph, seconds = _with_engine(bundle, layer, job, report, size)
    final = bundle.move(into)
    report.passed("bundle", f"{bundle.bytes:,} bytes, weights SHA-256 {bundle.sha256[:12]}…")
    return AdmissionResult(
        accepted=True,
        report=report.checks,
        manifest=merge.used(declared, complete),
        classes=complete.codes,
        framework=complete.framework,
        architecture=converted["architecture"],
        parameters=converted["parameters"],
        sha256=bundle.sha256,
        bundle=final,
        layer=layer,
        engine=ONNX if graph else NATIVE,
        measured={
            **probed["measured"],
            **({"graph": graph, "predict_ms": graph["engine_ms"]} if graph else {}),
            "peak_memory_bytes": max(converting.peak_memory, probing.peak_memory),
            "stages_s": {
                "convert": round(converting.seconds, 1),
                "prove": round(probing.seconds, 1),
                "engine": round(seconds, 1),
            },
        },
    )


def _with_engine(
    bundle: staged_bundle.StagedBundle, layer: str, job: _Job, report: Report, size: int
) -> tuple[staged_bundle.StagedBundle, dict[str, Any] | None, float]:
    """Add the layer, and the graph of a faster engine if one answers alike; what goes wrong costs the engine only.

    Return the bundle, what is known of the graph (None: the framework answers), and the seconds that this took.
    """
    request = {"bundle": str(bundle.folder)}
    began, job.seconds = time.monotonic(), max(job.seconds, ENGINE_SECONDS)
    try:
        offered, _ended = _run(OFFER, request, "engine", OFFERED, job, report, readable=(bundle.folder,), size=size)
        if (graph := offered["graph"]) is not None:
            bundle = staged_bundle.proven(bundle, layer, job.scratch / "engine" / GRAPH, graph["cut"])
            return bundle, graph, _since(began)
    except (Refusal, InvalidChildOutput) as error:
        log.warning("No engine for this model: %s", error)
        report.without_engine(str(error))
    return staged_bundle.proven(bundle, layer), None, _since(began)


def _since(began: float) -> float:
    return time.monotonic() - began


def _require_isolation(unconfined: bool) -> None:
    missing = confine.missing()
    if missing and not unconfined:
        raise _not_isolated(f"its kernel lacks {' and '.join(missing)}")


def _not_isolated(reason: str) -> Refusal:
    message = f"This server cannot open a model file safely: {reason}."
    hint = (
        "Run the portal on Linux 5.13 or later with Landlock, seccomp and namespaces (docs/safety.md). On a machine of "
        "your own, for files that you trust, SKINSITE_UNCONFINED_ADMISSION=1 does without."
    )
    return Refusal(RefusalCode.CONFINEMENT_UNAVAILABLE, message, hint)


@contextmanager
def _opened(upload: Path) -> Iterator[int]:
    """Open the upload once, as a regular file and no link; all that follows reads this descriptor."""
    try:
        descriptor = os.open(upload, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        message = f"The uploaded file cannot be opened: {error.strerror}."
        raise Refusal(RefusalCode.NO_FILE, message, "Upload the model again.") from error
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise Refusal(RefusalCode.NO_FILE, "The upload is not a regular file.", "Upload the model again.")
        yield descriptor
    finally:
        os.close(descriptor)


def _run(
    task: str,
    request: dict[str, Any],
    name: str,
    schema: dict[str, Any],
    job: _Job,
    report: Report,
    *,
    size: int,
    readable: Sequence[Path] = (),
    descriptors: Sequence[int] = (),
) -> tuple[dict[str, Any], ChildResult]:
    """Run one task in its own empty folder; add its checks to the report. Raises Refusal."""
    folder = job.scratch / name
    folder.mkdir()
    try:
        answer = ask(
            task,
            request=request,
            schema=child_output.or_refused(schema),
            folder=folder,
            limits=Limits(
                max(1.0, job.seconds), job.memory, disk=4 * size + GIB, wall=max(1.0, job.deadline - time.monotonic())
            ),
            readable=readable,
            descriptors=descriptors,
            unconfined=job.unconfined,
            verbatim=("inferred",),
        )
    except ChildStopped as stopped:
        _note_isolation(task, stopped.result, report)
        log.warning("%s: %s: %r", task, stopped, stopped.result.stderr_tail)
        raise _stopped(stopped.result, job) from stopped
    except InvalidChildOutput as error:
        log.warning("%s left an answer that is not used: %s", task, error)
        raise _untrustworthy() from error
    job.seconds -= answer.child.counted
    _note_isolation(task, answer.child, report)
    for check in child_output.report(answer.content):
        report.add(check)
    if "problem" in answer.content:
        if answer.content["problem"]["code"] == RefusalCode.CANNOT_BE_READ:
            log.warning("%s met what nobody foresaw: %r", task, answer.child.stderr_tail)
        raise _answered(answer.content)
    return answer.content, answer.child


def _note_isolation(task: str, child: ChildResult, report: Report) -> None:
    """Say how the child was isolated while the file was open, as it said before it saw it."""
    if task != CONVERT or child.reason is ExitReason.NOT_ISOLATED:
        return
    lacking = [measure for measure in child.isolation if measure.startswith(confine.LACKING)]
    add = report.warned if lacking else report.passed
    add("confinement", "; ".join((*lacking, *(measure for measure in child.isolation if measure not in lacking))))


def _answered(answer: dict[str, Any]) -> Refusal:
    try:
        return _Answered(child_output.problem(answer))
    except InvalidChildOutput as error:
        log.warning("The refusal is not used: %s", error)
        return _untrustworthy()


class _Answered(Refusal):
    """A refusal whose failed check is in the child's report already."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.code, problem.message, problem.hint, problem.candidates)


def _stopped(child: ChildResult, job: _Job) -> Refusal:
    if child.reason is ExitReason.NOT_ISOLATED:
        return _not_isolated(plain(child.stderr_tail))
    hint = "If the file comes from a source that you trust, tell the operator; the portal's log has the details."
    if child.reason is ExitReason.TIME:
        message = f"The file was not admitted in time: its check was stopped after {child.seconds:.0f} s."
        return Refusal(RefusalCode.TIME_LIMIT, message, SMALLER)
    if child.reason is ExitReason.MEMORY:
        message = f"Opening the file takes more than {job.memory / GIB:.1f} GiB of memory: its check was stopped."
        return Refusal(RefusalCode.MEMORY_LIMIT, message, SMALLER)
    if child.reason is ExitReason.DISK:
        return Refusal(RefusalCode.DISK_LIMIT, "Opening the file writes far more than its own size.", hint)
    message = f"The program that reads such files broke down on this one (status {child.status})."
    return Refusal(RefusalCode.CHECK_CRASHED, message, hint)


def _untrustworthy() -> Refusal:
    message = "The check of the file gave an answer that the portal does not trust."
    hint = "Do not use this file; tell the operator where it comes from."
    return Refusal(RefusalCode.UNTRUSTED_ANSWER, message, hint)
