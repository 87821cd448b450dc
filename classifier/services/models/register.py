"""Registering a model: the file is kept as it is, an admission decides whether it becomes ready."""

import json
import uuid
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.dispatch import Signal

from classifier.admission.admit import AdmissionResult, admit
from classifier.admission.report import Check
from classifier.models import Admission, ModelRecord
from classifier.models.model_record import ModelState
from classifier.services.models.uploads import KeptUpload, keep
from classifier.training_ids import missing_file, without_lists
from skinsite.jobs import State
from skinsite.jobs.attempt import attempt
from skinsite.jobs.send import send_on_commit
from skinsite.refusal import Conflict, Problem, Refusal

MANIFEST_BYTES = 1024 * 1024
OF_THE_RECORD = ("name", "version", "licence", "card")
trained_on = Signal()
"""A model becomes ready whose manifest lists ids: `record` and `lists`, {training set: ids}, in one transaction."""


def register_model(
    *, user: Any, file: IO[bytes], file_name: str, manifest: dict[str, Any], send: bool = True
) -> Admission:
    """Keep the upload and register it; what is refused is not kept. Raises Refusal as `register_kept` does."""
    _name_and_version(manifest, file_name)
    kept = keep(file, file_name)
    try:
        return register_kept(user=user, kept=kept, manifest=manifest, send=send)
    except BaseException:
        kept.discard()
        raise


def register_kept(*, user: Any, kept: KeptUpload, manifest: dict[str, Any], send: bool = True) -> Admission:
    """Write a record that is being checked and a queued admission; unless told otherwise, sent after the commit.

    Raises Refusal for a manifest that is no object, and a name with a version that exists.
    """
    name, version = _name_and_version(manifest, kept.file_name)
    record = ModelRecord(
        name=name,
        version=version,
        upload=str(kept.path.relative_to(settings.SKINSITE_DATA)),
        upload_name=kept.file_name,
        upload_sha256=kept.sha256,
        created_by=user,
        **_texts(manifest),
    )
    with transaction.atomic():
        try:
            with transaction.atomic():
                record.save(force_insert=True)
        except IntegrityError as error:  # somebody was faster
            raise _taken(name, version) from error
        return _queue(record, manifest, send=send)


def recheck_model(*, record: ModelRecord, manifest: dict[str, Any]) -> Admission:
    """refused -> checking, with another manifest and the same upload; its licence and card become the record's.

    Raises Conflict in another state, Refusal for a manifest with another name or version.
    """
    _check_size(manifest)
    for name in ("name", "version"):
        kept = getattr(record, name)
        if manifest.get(name) not in (None, "", kept):
            raise Refusal(Problem(f"manifest.{name}", f"The {name} of this model is {kept}: leave it so, or out."))
    with transaction.atomic():
        refused = ModelRecord.objects.filter(pk=record.pk, state=ModelState.REFUSED)
        if not refused.update(state=ModelState.CHECKING, error=None, report=[], **_texts(manifest)):
            raise Conflict(f"This model is {record.state}: only a refused one can be checked again.")
        try:
            return _queue(record, manifest)
        except IntegrityError as error:
            raise Conflict("This model is being checked already.") from error


def choose_candidate(*, record: ModelRecord, number: int) -> Admission:
    """Check a `needs-choice` model again, as its candidate of this number (from 0). Raises Conflict, Refusal."""
    candidates = (record.error or {}).get("candidates") or []
    if not 0 <= number < len(candidates):
        raise Refusal(Problem("candidate", "There is no such candidate: load the page again."))
    manifest = last_manifest(record)
    manifest |= {name: getattr(record, name) for name in OF_THE_RECORD if name in manifest}
    return recheck_model(record=record, manifest=manifest | {"architecture": candidates[number]["architecture"]})


def last_manifest(record: ModelRecord) -> dict[str, Any]:
    """What the administrator gave for the last check of the file."""
    last = Admission.objects.filter(record=record).order_by("pk").last()
    return dict(last.manifest) if last else {}


def retire_model(*, record: ModelRecord) -> None:
    """ready -> retired: it keeps its past predictions and gets no new ones. Raises Conflict in another state."""
    ready = ModelRecord.objects.filter(pk=record.pk, state=ModelState.READY)
    if not ready.update(state=ModelState.RETIRED, is_default=False):
        raise Conflict(f"This model is {record.state}: only a ready one can be retired.")


def delete_model(*, record: ModelRecord) -> None:
    """refused -> gone, with its file. Raises Conflict in another state, and where something was made with it."""
    with transaction.atomic():
        refused = ModelRecord.objects.select_for_update().filter(pk=record.pk, state=ModelState.REFUSED)
        try:
            if not refused.exists():
                raise Conflict(f"This model is {record.state}: only a refused one can be deleted. Retire it instead.")
            refused.delete()
        except ProtectedError as error:
            raise Conflict(f"{record} has predictions or evaluations: it cannot be deleted.") from error
        transaction.on_commit(lambda: record.upload_path.unlink(missing_ok=True))


def run_admission(*, admission_id: int) -> None:
    """queued -> done, with the record ready or refused."""
    admission = Admission.objects.select_related("record").filter(pk=admission_id).first()
    if admission is None:
        return
    manifest, lists = without_lists(admission.manifest)

    def work(token: uuid.UUID) -> Callable[[], None]:
        result = admit(
            upload=admission.record.upload_path,
            manifest=manifest,
            into=bundles_folder(),
            time_limit_s=settings.ADMISSION_SECONDS,
            memory_limit=settings.ADMISSION_BYTES,
            unconfined=settings.SKINSITE_UNCONFINED_ADMISSION,
        )
        return partial(_finish, admission, token, result, lists)

    try:
        attempt(admission, work, in_hand=True)
    except Exception:
        refuse_failed_admissions()
        raise


def _finish(admission: Admission, token: uuid.UUID, result: AdmissionResult, lists: dict[str, list[str]]) -> None:
    with transaction.atomic():
        if Admission.objects.finish(admission.pk, token):
            _write_result(admission.record, result, lists)


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


def _write_result(record: ModelRecord, result: AdmissionResult, lists: dict[str, list[str]]) -> None:
    fields: dict[str, Any] = {
        "report": [vars(check) for check in result.report],
        "manifest": result.manifest or {},
        "framework": result.framework or "",
        "architecture": (result.architecture or "")[:200],
        "parameters": result.parameters,
        "measured": result.measured or {},
    }
    if result.accepted and result.bundle is not None:
        fields |= {
            "state": ModelState.READY,
            "sha256": result.sha256,
            "layer": (result.layer or "")[:200],
            "engine": result.engine,
            "bundle": str(result.bundle.relative_to(settings.SKINSITE_DATA)),
        }
        fields["report"] += [vars(check) for check in _trained_on(result.manifest or {}, lists)]
    else:
        fields |= {
            "state": ModelState.REFUSED,
            "error": result.error.to_json() if result.error else {"code": "refused"},
        }
    checking = ModelRecord.objects.filter(pk=record.pk, state=ModelState.CHECKING)
    if checking.update(**fields) and result.accepted and lists:
        trained_on.send(ModelRecord, record=record, lists=lists)


def _trained_on(manifest: dict[str, Any], lists: dict[str, list[str]]) -> Iterator[Check]:
    """What the report says about the training data's lists of ids."""
    for name, ids in lists.items():
        yield Check("training", True, f"{name}: {len(ids):,} ids are listed for the seen-image check")
    for entry in manifest.get("training_data") or []:
        if file := missing_file(entry):
            words = f"{entry['name']}: its list “{file}” did not come with the manifest, so nothing is known from it. "
            yield Check("training", False, f"{words}Add the ids on the model's page.")


def _texts(manifest: dict[str, Any]) -> dict[str, str]:
    """The record's own texts, as far as the manifest says them."""
    longest = {"licence": 300, "card": 100_000}
    return {name: str(manifest[name])[:most] for name, most in longest.items() if manifest.get(name) is not None}


def _queue(record: ModelRecord, manifest: dict[str, Any], *, send: bool = True) -> Admission:
    admission = Admission.objects.create(record=record, manifest=manifest)
    if send:
        send_on_commit(admission)
    return admission


def _name_and_version(manifest: dict[str, Any], file_name: str) -> tuple[str, str]:
    _check_size(manifest)
    name = manifest.get("name") or Path(file_name).stem or "Model"
    version = manifest.get("version") or "1"
    if not isinstance(name, str) or not 1 <= len(name) <= 100:
        raise Refusal(Problem("manifest.name", "The name must be a text of 1 to 100 characters."))
    if not isinstance(version, str) or not 1 <= len(version) <= 40:
        raise Refusal(Problem("manifest.version", "The version must be a text of 1 to 40 characters."))
    if ModelRecord.objects.filter(name=name, version=version).exists():
        raise _taken(name, version)
    return name, version


def _taken(name: str, version: str) -> Refusal:
    message = f"{name} has a version {version} already: give this one another version."
    return Refusal(Problem("manifest.version", message))


def _check_size(manifest: dict[str, Any]) -> None:
    if not isinstance(manifest, dict):
        raise Refusal(Problem("manifest", "The manifest must be a JSON object."))
    if len(json.dumps(manifest)) > MANIFEST_BYTES:
        raise Refusal(Problem("manifest", "The manifest is above the limit of 1 MB."))
