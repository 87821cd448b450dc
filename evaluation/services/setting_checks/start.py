"""Setting checks: their start, and their findings registered as a new version."""

import secrets
from typing import Any

from django.db import transaction
from django.http import HttpRequest

from classifier.models import ModelRecord
from classifier.models.model_record import ModelState
from classifier.services.models.register import last_manifest, register_kept
from classifier.services.models.uploads import kept_again
from evaluation.documents.setting_check import SettingResult
from evaluation.metrics.taxonomy import in_classes
from evaluation.models import DataSet, SettingCheck
from evaluation.services.ready import not_ready
from skinsite.accounts.administrators import by_administrator
from skinsite.jobs import State, actions
from skinsite.refusal import Conflict, Problem, Refusal

FEWEST_CLASSES = 2
INPUT_OF_PART = {"scaling": ("range", "mean", "std")}


def start_setting_check(*, owner: Any, data_set: DataSet, model: ModelRecord, seed: int | None = None) -> SettingCheck:
    """Queue a check. Raises Refusal for what is not ready or shares no two classes, Conflict if one is open."""
    problems = not_ready(data_set, model)
    if not problems and len(shared_classes(data_set, model)) < FEWEST_CLASSES:
        codes = ", ".join(model.class_names)
        message = f"Fewer than {FEWEST_CLASSES} classes of {model} ({codes}) occur in it: choose another data set."
        problems.append(Problem("dataset", message))
    if problems:
        raise Refusal(*problems)
    check = SettingCheck(
        owner=owner, data_set=data_set, model=model, seed=secrets.randbelow(10**6) if seed is None else seed
    )
    actions.start(check)
    return check


def shared_classes(data_set: DataSet, model: ModelRecord) -> set[str]:
    """Return the classes of the model that the labels of the data set belong to."""
    codes = list(model.class_names)
    places = (in_classes(label, codes, data_set.malignancy) for label in data_set.labels)
    return {place for place in places if place is not None}


def fill_manifest(*, check: SettingCheck, user: Any) -> ModelRecord:
    """Register the same file as a new version whose manifest says what is confirmed.

    A ready model never changes. Raises Conflict where nothing is to be filled in, where it was done before, and where
    the original is gone.
    """
    if check.state != State.DONE or not check.result.fills:
        raise Conflict("This check confirms nothing that the manifest does not say already.")
    model = check.model
    try:
        kept = kept_again(model)
    except OSError as error:
        raise Conflict(f"The original file of {model} is not on this server any more: register it again.") from error
    try:
        with transaction.atomic():
            filled = SettingCheck.objects.select_for_update().get(pk=check.pk).filled
            if filled is not None:
                raise Conflict(f"It was filled in before, as {filled}.")
            manifest = _filled(model, check.result)
            manifest |= {"name": model.name, "version": _free_version(model)}
            manifest |= {"licence": model.licence, "card": model.card}
            record = register_kept(user=user, kept=kept, manifest=manifest).record
            _copy_rows(model, record)
            SettingCheck.objects.filter(pk=check.pk).update(filled=record)
    except BaseException:
        kept.discard()
        raise
    return ModelRecord.objects.get(pk=record.pk)


def _filled(model: ModelRecord, found: SettingResult) -> dict[str, Any]:
    """Return what was given for the model, with what the check confirmed; what was assumed is assumed again."""
    fills = found.fills
    given = {name: value for name, value in (last_manifest(model) or model.manifest).items() if value is not None}
    used = model.manifest.get("input", {}) | fills.get("input", {})
    sure = {part.name for part in found.parts if part.confirmed}
    names = [name for part in sure for name in INPUT_OF_PART.get(part, (part,)) if name in used]
    confirmed = (given.get("input") or {}) | {name: used[name] for name in names}
    given |= {name: value for name, value in fills.items() if name != "input"}
    given["training_data"] = model.manifest.get("training_data") or []
    return given | ({"input": confirmed} if confirmed else {})


def _copy_rows(model: ModelRecord, record: ModelRecord) -> None:
    """Copy the lists of training images and the places of classes: they hold for the same file, too."""
    rows: tuple[Any, ...] = (*model.training_sets.all(), *model.class_places.all())
    for row in rows:
        row.pk, row.model = None, record
        row.save(force_insert=True)


def checks_of_model(request: HttpRequest, model: ModelRecord) -> dict[str, object] | None:
    """What the model's page shows an administrator of its checks; nothing to others and before it is ready."""
    if not by_administrator(request) or model.state not in (ModelState.READY, ModelState.RETIRED):
        return None
    visible = SettingCheck.objects.visible_to(request.user).select_related("data_set", "model", "filled")
    checks = visible.filter(model=model).defer("document")
    return {"checks": checks[:20], "origin": visible.filter(filled=model).defer("document").first()}


def _free_version(model: ModelRecord) -> str:
    """The next whole number, or the old version with one behind a dot."""
    taken = set(ModelRecord.objects.filter(name=model.name).values_list("version", flat=True))
    number = int(model.version) if model.version.isascii() and model.version.isdigit() else 0
    stem = "" if number else f"{model.version[:30]}."
    return next(text for count in range(1, len(taken) + 2) if (text := f"{stem}{number + count}") not in taken)
