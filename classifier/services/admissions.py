"""Registering a model: the file is kept as it is, an admission decides whether it becomes ready."""

import hashlib
import json
import os
import uuid
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.db import IntegrityError, transaction

from classifier.admission.admit import Outcome, admit
from classifier.models import Admission, ModelRecord
from classifier.models.model_record import ModelState
from classifier.services.queueing import send_admission_on_commit
from skinsite.jobs import State, heartbeat
from skinsite.refusal import Conflict, Problem, Refusal

CHUNK_BYTES = 1024 * 1024
MANIFEST_BYTES = 1024 * 1024


def register_model(*, user: Any, file: IO[bytes], file_name: str, manifest: dict[str, Any]) -> Admission:
    """Keep the upload, write a record that is being checked and a queued admission; sent after the commit.

    Raises Refusal for an empty or too large file, a manifest that is no object, and a name with a version that exists.
    """
    name, version = _name_and_version(manifest, file_name)
    if ModelRecord.objects.filter(name=name, version=version).exists():
        raise Refusal(Problem("manifest", f"{name} has a version {version} already: give this one another version."))
    path, digest = _keep(file)
    try:
        with transaction.atomic():
            record = ModelRecord.objects.create(
                name=name,
                version=version,
                upload=str(path.relative_to(settings.SKINSITE_DATA)),
                upload_name=file_name[-255:],
                upload_sha256=digest,
                licence=str(manifest.get("licence", ""))[:300],
                card=str(manifest.get("card", ""))[:100_000],
                created_by=user,
            )
            return _queue(record, manifest)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def recheck_model(*, record: ModelRecord, manifest: dict[str, Any]) -> Admission:
    """refused -> checking, with another manifest and the same upload. Raises Conflict in another state."""
    _check_size(manifest)
    with transaction.atomic():
        refused = ModelRecord.objects.filter(pk=record.pk, state=ModelState.REFUSED)
        if not refused.update(state=ModelState.CHECKING, error=None, report=[]):
            raise Conflict(f"This model is {record.state}: only a refused one can be checked again.")
        try:
            return _queue(record, manifest)
        except IntegrityError as error:
            raise Conflict("This model is being checked already.") from error


def retire_model(*, record: ModelRecord) -> None:
    """ready -> retired: it keeps its past predictions and gets no new ones. Raises Conflict in another state."""
    ready = ModelRecord.objects.filter(pk=record.pk, state=ModelState.READY)
    if not ready.update(state=ModelState.RETIRED, is_default=False):
        raise Conflict(f"This model is {record.state}: only a ready one can be retired.")


def run_admission(*, admission_id: int) -> None:
    """queued -> done, with the record ready or refused. An unexpected error puts it back, at most three times."""
    token = Admission.objects.claim(admission_id, in_hand=True)
    if token is None:
        return
    admission = Admission.objects.select_related("record").get(pk=admission_id)
    try:
        with heartbeat(Admission.objects.all(), admission_id, token):
            outcome = admit(
                upload=admission.record.upload_path,
                manifest=admission.manifest,
                into=bundles_folder(),
                unconfined=settings.SKINSITE_UNCONFINED_ADMISSION,
            )
        with transaction.atomic():
            if Admission.objects.finish(admission_id, token):
                _write_outcome(admission.record, outcome)
    except Exception:
        Admission.objects.stumble(admission_id, token)
        refuse_failed_admissions()
        raise


def refuse_failed_admissions() -> None:
    """A record whose admission failed for good is refused with the same reason: registration never waits."""
    failed = Admission.objects.filter(state=State.FAILED, record__state=ModelState.CHECKING).select_related("record")
    for admission in failed:
        checking = ModelRecord.objects.filter(pk=admission.record_id, state=ModelState.CHECKING)
        checking.update(state=ModelState.REFUSED, error=admission.error)


def bundles_folder() -> Path:
    folder = Path(settings.SKINSITE_DATA, "models", "bundles")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _write_outcome(record: ModelRecord, outcome: Outcome) -> None:
    fields: dict[str, Any] = {
        "report": [vars(check) for check in outcome.report],
        "manifest": outcome.manifest or {},
        "framework": outcome.framework or "",
        "architecture": (outcome.architecture or "")[:200],
        "parameters": outcome.parameters,
        "measured": outcome.measured or {},
    }
    if outcome.accepted and outcome.bundle is not None:
        fields |= {
            "state": ModelState.READY,
            "sha256": outcome.sha256,
            "layer": (outcome.layer or "")[:200],
            "bundle": str(outcome.bundle.relative_to(settings.SKINSITE_DATA)),
        }
    else:
        fields |= {
            "state": ModelState.REFUSED,
            "error": outcome.error.to_json() if outcome.error else {"code": "refused"},
        }
    ModelRecord.objects.filter(pk=record.pk, state=ModelState.CHECKING).update(**fields)


def _queue(record: ModelRecord, manifest: dict[str, Any]) -> Admission:
    admission = Admission.objects.create(record=record, manifest=manifest)
    send_admission_on_commit(admission)
    return admission


def _name_and_version(manifest: dict[str, Any], file_name: str) -> tuple[str, str]:
    _check_size(manifest)
    name = manifest.get("name") or Path(file_name).stem or "Model"
    version = manifest.get("version") or "1"
    if not isinstance(name, str) or not 1 <= len(name) <= 100:
        raise Refusal(Problem("manifest.name", "The name must be a text of 1 to 100 characters."))
    if not isinstance(version, str) or not 1 <= len(version) <= 40:
        raise Refusal(Problem("manifest.version", "The version must be a text of 1 to 40 characters."))
    return name, version


def _check_size(manifest: dict[str, Any]) -> None:
    if not isinstance(manifest, dict):
        raise Refusal(Problem("manifest", "The manifest must be a JSON object."))
    if len(json.dumps(manifest)) > MANIFEST_BYTES:
        raise Refusal(Problem("manifest", "The manifest is above the limit of 1 MB."))


def _keep(file: IO[bytes]) -> tuple[Path, str]:
    """Stream the upload into one private file of our own name; return its path and SHA-256."""
    folder = Path(settings.SKINSITE_DATA, "models", "uploads")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / uuid.uuid4().hex
    digest, size = hashlib.sha256(), 0
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as kept:
            while chunk := file.read(CHUNK_BYTES):
                size += len(chunk)
                if size > settings.MODEL_FILE_BYTES:
                    raise Refusal(Problem("file", "The model file is above the limit of 2 GB."))
                digest.update(chunk)
                kept.write(chunk)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path, digest.hexdigest()
