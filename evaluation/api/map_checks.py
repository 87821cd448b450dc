"""Map checks: start, follow, read."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from ninja import Router, Status

from classifier.models import ModelRecord
from evaluation.api.map_schemas import MapCheck, MapCheckList, NewMapCheck
from evaluation.models import DataSet
from evaluation.models import MapCheck as MapCheckRow
from evaluation.services.evaluations.document import map_check_document
from evaluation.services.map_checks.start import cancel_map_check, retry_map_check, start_map_check
from skinsite.api.paging import page_of
from skinsite.api.parsing import row_id
from skinsite.api.problems import problems

router = Router(tags=["map checks"])
READ = problems(401, 404, 422, 429)
CHANGE = {202: MapCheck} | problems(401, 404, 409, 422, 429)


@router.post("", response=CHANGE, summary="Check the credibility of a model's heat maps")
def create(request: HttpRequest, response: HttpResponse, asked: NewMapCheck) -> Any:
    """Where the heat lies, whether the answer hangs on it, and whether it hangs on what the network has learned."""
    person = _person(request)
    made = start_map_check(
        owner=person,
        model=get_object_or_404(ModelRecord.objects.visible_to(person), pk=row_id(asked.model)),
        data_set=get_object_or_404(DataSet.objects.visible_to(person), pk=row_id(asked.dataset)),
        seed=asked.seed,
    )
    response["Location"] = reverse("api:map_check", args=[made.pk])
    return Status(202, map_check_document(made))


@router.get("", response={200: MapCheckList} | READ, url_name="map_checks", summary="List map checks")
def list_map_checks(request: HttpRequest, cursor: str = "") -> Any:
    """Newest first."""
    found, following = page_of(MapCheckRow.objects.visible_to(_person(request)), cursor, reverse("api:map_checks"))
    return {"items": [map_check_document(row) for row in found], "next": following}


@router.get("/{id}", response={200: MapCheck} | READ, url_name="map_check", summary="One map check")
def get_map_check(request: HttpRequest, id: str) -> Any:
    rows = MapCheckRow.objects.visible_to(_person(request))
    return map_check_document(get_object_or_404(rows, pk=row_id(id)))


@router.post("/{id}/cancel", response=CHANGE, summary="Cancel")
def cancel(request: HttpRequest, id: str) -> Any:
    cancel_map_check(check=_own(request, id))
    return Status(202, map_check_document(_own(request, id)))


@router.post("/{id}/retry", response=CHANGE, summary="Try again")
def retry(request: HttpRequest, id: str) -> Any:
    """What is measured already is not measured again."""
    retry_map_check(check=_own(request, id))
    return Status(202, map_check_document(_own(request, id)))


def _own(request: HttpRequest, id: str) -> MapCheckRow:
    found: MapCheckRow = get_object_or_404(MapCheckRow.objects.changeable_by(_person(request)), pk=row_id(id))
    return found


def _person(request: HttpRequest) -> Any:
    return request.auth  # type: ignore[attr-defined]  # set by ninja
