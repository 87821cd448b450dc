"""Admit an untrusted model file: sniffed here, opened, proven and given an engine in one confined child each."""

import logging
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from classifier.admission import staged_bundle
from classifier.admission.child_output import Converted, Offered, Probed
from classifier.admission.formats import sniff
from classifier.admission.manifest import merge
from classifier.admission.refusal import Refusal, RefusalCode
from classifier.admission.report import AdmissionResult, Report
from classifier.admission.stage import GIB, Allowance, Progress, Stage, not_isolated, untrusted
from classifier.inference.bundle import GRAPH
from classifier.inference.engines import NATIVE, ONNX
from classifier.inference.input.manifest import Json
from skinsite.sandbox import confine, scratch
from skinsite.sandbox.ask import InvalidChildOutput

__all__ = ["STAGES", "AdmissionResult", "admit"]

SECONDS = 60.0
ENGINE_SECONDS = 40.0
CONVERT, PROVE, ENGINE = "convert", "prove", "engine"
CHILDREN = "classifier.admission.stages"

log = logging.getLogger(__name__)


def admit(
    *,
    upload: Path,
    manifest: Json,
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
            declared, size = merge.read_declared(manifest), os.fstat(descriptor).st_size
            kind = sniff.sniff(os.pread(descriptor, sniff.HEAD_BYTES, 0), size)
            report.passed("content", f"{kind}, {size:,} bytes")
            progress = Progress(descriptor, kind, declared, folder, report)
            allowance = Allowance(size, seconds=time_limit_s, memory=memory_limit, unconfined=unconfined)
            for stage in STAGES:
                stage.run(progress, allowance)
            return _accepted(progress, into)
    except Refusal as error:
        refusal = error
    except InvalidChildOutput as error:
        log.warning("The bundle is not used: %s", error)
        refusal = untrusted()
    report.refused(refusal)
    return AdmissionResult(False, report.checks, refusal.problem)


def _accepted(progress: Progress, into: Path) -> AdmissionResult:
    bundle, graph = progress.bundle, progress.graph
    final = bundle.move(into)
    progress.report.passed("bundle", f"{bundle.bytes:,} bytes, weights SHA-256 {bundle.sha256[:12]}…")
    engine: Json = {"graph": graph.model_dump(mode="json"), "predict_ms": graph.engine_ms} if graph else {}
    return AdmissionResult(
        accepted=True,
        report=progress.report.checks,
        manifest=merge.used(progress.declared, progress.manifest),
        classes=progress.manifest.codes,
        framework=progress.manifest.framework,
        architecture=progress.converted.architecture,
        parameters=progress.converted.parameters,
        sha256=bundle.sha256,
        bundle=final,
        layer=progress.probed.layer,
        engine=ONNX if graph else NATIVE,
        measured=progress.probed.measured.model_dump(mode="json", exclude_unset=True)
        | engine
        | {"peak_memory_bytes": progress.peak_memory, "stages_s": progress.seconds},
    )


def _ask_for_bundle(progress: Progress) -> Json:
    return {"descriptor": progress.upload, "kind": progress.kind, "manifest": progress.declared.to_json()}


def _take_bundle(progress: Progress, converted: Converted) -> None:
    progress.converted = converted
    progress.manifest = merge.merged(progress.declared, converted.inferred)
    written = progress.scratch / CONVERT / "bundle"
    progress.bundle = staged_bundle.take(written, progress.scratch / "bundle", progress.manifest)


def _ask_for_proof(progress: Progress) -> Json:
    return {"bundle": str(progress.bundle.folder), "expected": progress.converted.outputs}


def _take_proof(progress: Progress, probed: Probed) -> None:
    progress.probed = probed


def _ask_for_engine(progress: Progress) -> Json:
    return {"bundle": str(progress.bundle.folder)}


def _take_engine(progress: Progress, offered: Offered) -> None:
    """Add the layer, and the graph of a faster engine if one answers alike."""
    layer, graph = progress.probed.layer, offered.graph
    if graph is None:
        progress.bundle = staged_bundle.proven(progress.bundle, layer)
        return
    cut = graph.cut.model_dump(mode="json") if graph.cut else None
    progress.bundle = staged_bundle.proven(progress.bundle, layer, progress.scratch / ENGINE / GRAPH, cut)
    progress.graph = graph


def _do_without_engine(progress: Progress, reason: str) -> None:
    progress.report.without_engine(reason)
    progress.bundle = staged_bundle.proven(progress.bundle, progress.probed.layer)


STAGES: tuple[Stage[Any], ...] = (
    Stage(CONVERT, f"{CHILDREN}.convert:convert", Converted, _ask_for_bundle, _take_bundle, reads_upload=True),
    Stage(PROVE, f"{CHILDREN}.probe:probe", Probed, _ask_for_proof, _take_proof),
    Stage(
        ENGINE,
        f"{CHILDREN}.onnx_engine:offer",
        Offered,
        _ask_for_engine,
        _take_engine,
        instead=_do_without_engine,
        at_least=ENGINE_SECONDS,
    ),
)
"""The children of an admission, one after the other."""


def _require_isolation(unconfined: bool) -> None:
    missing = confine.missing()
    if missing and not unconfined:
        raise not_isolated(f"its kernel lacks {' and '.join(missing)}")


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
