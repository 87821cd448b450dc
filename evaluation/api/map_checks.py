"""Map checks: start; the rest as every long job."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404

from classifier.models import ModelRecord
from evaluation.api.map_schemas import MapCheck, NewMapCheck
from evaluation.models import DataSet
from evaluation.models import MapCheck as MapCheckRow
from evaluation.services.map_checks.api_document import map_check_document
from evaluation.services.map_checks.start import start_map_check
from skinsite.api.access import person_of
from skinsite.api.parsing import row_id
from skinsite.api.problems import problems
from skinsite.jobs.api import accepted, job_router

router = job_router(MapCheckRow, "list", "get", "cancel", "retry", shape=MapCheck, document=map_check_document)


@router.post(
    "",
    response={202: MapCheck} | problems(401, 404, 409, 422, 429),
    summary="Check the credibility of a model's heat maps",
)
def create(request: HttpRequest, response: HttpResponse, asked: NewMapCheck) -> Any:
    """Where the heat lies, whether the answer hangs on it, and whether it hangs on what the network has learned."""
    person = person_of(request)
    made = start_map_check(
        owner=person,
        model=get_object_or_404(ModelRecord.objects.visible_to(person), pk=row_id(asked.model)),
        data_set=get_object_or_404(DataSet.objects.visible_to(person), pk=row_id(asked.dataset)),
        seed=asked.seed,
    )
    return accepted(response, made, map_check_document)
