"""Setting checks, for administrators: start and fill in; the rest as every long job."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from ninja import Router, Status

from classifier.models import ModelRecord
from evaluation.api.setting_schemas import FilledModel, NewSettingCheck, SettingCheck
from evaluation.models import DataSet
from evaluation.models import SettingCheck as SettingCheckRow
from evaluation.services.setting_checks.api_document import setting_check_document
from evaluation.services.setting_checks.start import fill_manifest, start_setting_check
from skinsite.api.access import AdministratorBearer, person_of
from skinsite.api.parsing import row_id
from skinsite.api.problems import problems
from skinsite.jobs.api import accepted, job_router

administrators = AdministratorBearer()
of_models = Router(tags=["setting checks"], auth=administrators)
router = job_router(
    SettingCheckRow,
    "get",
    "cancel",
    "retry",
    shape=SettingCheck,
    document=setting_check_document,
    auth=administrators,
)
CHANGE = problems(401, 403, 404, 409, 422, 429)


@of_models.post(
    "/{id}/setting-checks", response={202: SettingCheck} | CHANGE, summary="Search what a model's file cannot say"
)
def create(request: HttpRequest, response: HttpResponse, id: str, asked: NewSettingCheck) -> Any:
    """Class order, colours, value range, resizing and output, on the labelled images of a data set."""
    person = person_of(request)
    made = start_setting_check(
        owner=person,
        model=get_object_or_404(ModelRecord.objects.visible_to(person), pk=row_id(id)),
        data_set=get_object_or_404(DataSet.objects.visible_to(person), pk=row_id(asked.dataset)),
        seed=asked.seed,
    )
    return accepted(response, made, setting_check_document)


@router.post("/{id}/fill", response={202: FilledModel} | CHANGE, summary="Register what is confirmed")
def fill(request: HttpRequest, response: HttpResponse, id: str) -> Any:
    """The same file becomes a new version of the model; ask for it until it is ready or refused."""
    rows = SettingCheckRow.objects.visible_to(person_of(request)).select_related("model", "data_set", "filled")
    check: SettingCheckRow = get_object_or_404(rows, pk=row_id(id))
    record = fill_manifest(check=check, user=person_of(request))
    response["Location"] = reverse("api:model", args=[record.pk])
    return Status(202, {"model": str(record.pk), "name": record.name, "version": record.version, "state": record.state})
