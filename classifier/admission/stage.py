"""One stage of an admission: a confined child, what it may cost, what it owes, and what its end means."""

import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic

from classifier.admission import child_output
from classifier.admission.child_output import AnAnswer, Converted, Graph, Probed, Refused
from classifier.admission.formats.sniff import Kind
from classifier.admission.refusal import Refusal, RefusalCode
from classifier.admission.report import Report
from classifier.admission.staged_bundle import StagedBundle
from classifier.inference.input.manifest import Json, Manifest, PartialManifest
from skinsite.sandbox import confine
from skinsite.sandbox.ask import ChildStopped, InvalidChildOutput, ask, plain
from skinsite.sandbox.run import ChildResult, ExitReason, Limits

GIB = 1024**3
BYTES_A_SECOND = 4 * 1024**2  # what a large honest file gets on top, and how many copies of it the memory may hold
COPIES = 5
# How far size alone raises the limits: a padded file must not buy the machine, nor the time that the worker's task has.
MOST_SECONDS = 300.0
MOST_MEMORY = 6 * GIB
SHARE = 3 / 4  # of the machine's memory, which no limit passes
WALL_SECONDS = 780.0  # all children together, also on a busy machine; the task is killed after 900
SMALLER = "Register a smaller model; the limit is the operator's."

log = logging.getLogger(__name__)


class Allowance:
    """What all stages of one admission may cost together: the `seconds` left, and the bytes of each child."""

    def __init__(self, size: int, *, seconds: float, memory: int, unconfined: bool) -> None:
        machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        self.seconds = max(seconds, min(MOST_SECONDS, seconds + size / BYTES_A_SECOND))
        self.memory = min(max(memory, min(MOST_MEMORY, memory // 2 + COPIES * size)), int(machine * SHARE))
        self.disk = 4 * size + GIB
        self.deadline = time.monotonic() + WALL_SECONDS
        self.unconfined = unconfined

    def limits(self, at_least: float) -> Limits:
        self.seconds = max(self.seconds, at_least)
        return Limits(self.seconds, self.memory, self.disk, wall=max(1.0, self.deadline - time.monotonic()))


@dataclass
class Progress:
    """What the stages share, and what each leaves to those after it."""

    upload: int
    kind: Kind
    declared: PartialManifest
    scratch: Path
    report: Report
    converted: Converted = field(init=False)
    manifest: Manifest = field(init=False)
    bundle: StagedBundle = field(init=False)
    probed: Probed = field(init=False)
    graph: Graph | None = None
    peak_memory: int = 0
    seconds: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Stage(Generic[AnAnswer]):
    """The `task` of a confined child, asked with what `request` returns; `keep` takes the answer, of the type `schema`.

    One child reads the upload, the others the bundle. A stage with an `instead` costs no more than what it adds: that
    is called with the reason where it fails. `at_least` are its seconds, whatever those before it took.
    """

    name: str
    task: str
    schema: type[AnAnswer]
    request: Callable[[Progress], Json]
    keep: Callable[[Progress, AnAnswer], None]
    reads_upload: bool = False
    instead: Callable[[Progress, str], None] | None = None
    at_least: float = 1.0

    def run(self, progress: Progress, allowance: Allowance) -> None:
        """Raises Refusal, and InvalidChildOutput for what `keep` does not take."""
        began = time.monotonic()
        try:
            self.keep(progress, self._answer(progress, allowance))
        except (Refusal, InvalidChildOutput) as error:
            if self.instead is None:
                raise
            log.warning("%s failed: %s", self.name, error)
            self.instead(progress, str(error))
        progress.seconds[self.name] = round(time.monotonic() - began, 1)

    def _answer(self, progress: Progress, allowance: Allowance) -> AnAnswer:
        """Run the child in its own empty folder, and add its checks to the report."""
        folder = progress.scratch / self.name
        folder.mkdir()
        try:
            answer = ask(
                self.task,
                request=self.request(progress),
                schema=child_output.schema(self.schema),
                folder=folder,
                limits=allowance.limits(self.at_least),
                readable=() if self.reads_upload else (progress.bundle.folder,),
                descriptors=(progress.upload,) if self.reads_upload else (),
                unconfined=allowance.unconfined,
                verbatim=("inferred",),
            )
            allowance.seconds -= answer.child.counted
            if self.instead is None:
                progress.peak_memory = max(progress.peak_memory, answer.child.peak_memory)
            self._note_isolation(progress, answer.child)
            return self._believed(progress, answer.content, answer.child)
        except ChildStopped as stopped:
            self._note_isolation(progress, stopped.result)
            log.warning("%s: %s: %r", self.task, stopped, stopped.result.stderr_tail)
            raise _stopped(stopped.result, allowance) from stopped
        except InvalidChildOutput as error:
            log.warning("%s left an answer that is not used: %s", self.task, error)
            raise untrusted() from error

    def _believed(self, progress: Progress, content: Json, child: ChildResult) -> AnAnswer:
        answer = child_output.read(content, self.schema)
        if isinstance(answer, Refused):
            if answer.problem.code is RefusalCode.CANNOT_BE_READ:
                log.warning("%s met what nobody foresaw: %r", self.task, child.stderr_tail)
            progress.report.extend(answer.checks[:-1])
            raise answer.refusal()
        progress.report.extend(answer.checks)
        return answer

    def _note_isolation(self, progress: Progress, child: ChildResult) -> None:
        """Say how the child was isolated while the file was open, as it said before it saw it."""
        if not self.reads_upload or child.reason is ExitReason.NOT_ISOLATED:
            return
        lacking = [measure for measure in child.isolation if measure.startswith(confine.LACKING)]
        add = progress.report.warned if lacking else progress.report.passed
        add("confinement", "; ".join((*lacking, *(measure for measure in child.isolation if measure not in lacking))))


def _stopped(child: ChildResult, allowance: Allowance) -> Refusal:
    if child.reason is ExitReason.NOT_ISOLATED:
        return not_isolated(plain(child.stderr_tail))
    hint = "If the file comes from a source that you trust, tell the operator; the portal's log has the details."
    if child.reason is ExitReason.TIME:
        message = f"The file was not admitted in time: its check was stopped after {child.seconds:.0f} s."
        return Refusal(RefusalCode.TIME_LIMIT, message, SMALLER)
    if child.reason is ExitReason.MEMORY:
        message = f"Opening the file takes more than {allowance.memory / GIB:.1f} GiB of memory: its check was stopped."
        return Refusal(RefusalCode.MEMORY_LIMIT, message, SMALLER)
    if child.reason is ExitReason.DISK:
        return Refusal(RefusalCode.DISK_LIMIT, "Opening the file writes far more than its own size.", hint)
    message = f"The program that reads such files broke down on this one (status {child.status})."
    return Refusal(RefusalCode.CHECK_CRASHED, message, hint)


def not_isolated(reason: str) -> Refusal:
    message = f"This server cannot open a model file safely: {reason}."
    hint = (
        "Run the portal on Linux 5.13 or later with Landlock, seccomp and namespaces (docs/safety.md). On a machine of "
        "your own, for files that you trust, SKINSITE_UNCONFINED_ADMISSION=1 does without."
    )
    return Refusal(RefusalCode.CONFINEMENT_UNAVAILABLE, message, hint)


def untrusted() -> Refusal:
    message = "The check of the file gave an answer that the portal does not trust."
    hint = "Do not use this file; tell the operator where it comes from."
    return Refusal(RefusalCode.UNTRUSTED_ANSWER, message, hint)
