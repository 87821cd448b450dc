"""Setting checks, for administrators: start, follow, fill in."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from ninja import Router, Status

from classifier.models import ModelRecord
from evaluation.api.setting_schemas import FilledModel, NewSettingCheck, SettingCheck
from evaluation.models import DataSet
from evaluation.models import SettingCheck as SettingCheckRow
from evaluation.services.evaluations.document import setting_check_document
from evaluation.services.setting_checks.start import (
    cancel_setting_check,
    fill_manifest,
    retry_setting_check,
    start_setting_check,
)
from skinsite.api.access import AdministratorBearer
from skinsite.api.parsing import row_id
from skinsite.api.problems import problems

router = Router(tags=["setting checks"], auth=AdministratorBearer())
READ = problems(401, 403, 404, 422, 429)
CHANGE = problems(401, 403, 404, 409, 422, 429)


@router.post(
    "/models/{id}/setting-checks",
    response={202: SettingCheck} | CHANGE,
    summary="Search what a model's file cannot say",
)
def create(request: HttpRequest, response: HttpResponse, id: str, asked: NewSettingCheck) -> Any:
    """Class order, colours, value range, resizing and output, on the labelled images of a data set."""
    person = request.auth  # type: ignore[attr-defined]  # set by ninja
    made = start_setting_check(
        owner=person,
        model=get_object_or_404(ModelRecord.objects.visible_to(person), pk=row_id(id)),
        data_set=get_object_or_404(DataSet.objects.visible_to(person), pk=row_id(asked.dataset)),
        seed=asked.seed,
    )
    response["Location"] = reverse("api:setting_check", args=[made.pk])
    return Status(202, setting_check_document(made))


@router.get(
    "/setting-checks/{id}", response={200: SettingCheck} | READ, url_name="setting_check", summary="One setting check"
)
def get_setting_check(request: HttpRequest, id: str) -> Any:
    return setting_check_document(_found(request, id))


@router.post("/setting-checks/{id}/cancel", response={202: SettingCheck} | CHANGE, summary="Cancel")
def cancel(request: HttpRequest, id: str) -> Any:
    cancel_setting_check(check=_found(request, id))
    return Status(202, setting_check_document(_found(request, id)))


@router.post("/setting-checks/{id}/retry", response={202: SettingCheck} | CHANGE, summary="Try again")
def retry(request: HttpRequest, id: str) -> Any:
    """What is answered already is not computed again."""
    retry_setting_check(check=_found(request, id))
    return Status(202, setting_check_document(_found(request, id)))


@router.post("/setting-checks/{id}/fill", response={202: FilledModel} | CHANGE, summary="Register what is confirmed")
def fill(request: HttpRequest, response: HttpResponse, id: str) -> Any:
    """The same file becomes a new version of the model; ask for it until it is ready or refused."""
    record = fill_manifest(check=_found(request, id), user=request.auth)  # type: ignore[attr-defined]
    response["Location"] = reverse("api:model", args=[record.pk])
    return Status(202, {"model": str(record.pk), "name": record.name, "version": record.version, "state": record.state})


def _found(request: HttpRequest, id: str) -> SettingCheckRow:
    rows = SettingCheckRow.objects.visible_to(request.auth)  # type: ignore[attr-defined]
    found: SettingCheckRow = get_object_or_404(rows.select_related("model", "data_set", "filled"), pk=row_id(id))
    return found
