"""Data sets: upload, list, read, map, delete."""

from typing import Annotated, Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from ninja import File, Form, Router, Status
from ninja.files import UploadedFile

from evaluation.api.schemas import DataSet, DataSetList
from evaluation.intake.table import ColumnMapping
from evaluation.models import DataSet as DataSetRow
from evaluation.services.data_sets.importing import cancel_import, create_data_set, delete_data_set, remap_data_set
from evaluation.services.evaluations.document import data_set_document
from skinsite.api.access import MIB, Bearer
from skinsite.api.paging import page_of
from skinsite.api.parsing import Text, row_id
from skinsite.api.problems import problems

router = Router(tags=["data sets"])
upload = Bearer(largest_body=settings.ARCHIVE_BYTES + settings.TABLE_BYTES + MIB)
CHANGE = {202: DataSet} | problems(401, 404, 409, 422, 429)


@router.post("", auth=upload, response={202: DataSet} | problems(401, 413, 422, 429), summary="Upload a data set")
def create(
    request: HttpRequest,
    response: HttpResponse,
    name: Annotated[Text, Form(max_length=200)],
    archive: Annotated[UploadedFile, File(description="a zip with pictures")],
    labels: Annotated[UploadedFile | None, File(description="a CSV; or it lies in the zip")] = None,
) -> Any:
    """Imported in the queue: ask for the data set until it is done or failed."""
    made = create_data_set(owner=_person(request), name=name, archive=archive, table=labels)
    response["Location"] = reverse("api:dataset", args=[made.pk])
    return Status(202, data_set_document(made))


@router.get(
    "", response={200: DataSetList} | problems(401, 404, 422, 429), url_name="datasets", summary="List data sets"
)
def list_data_sets(request: HttpRequest, cursor: str = "") -> Any:
    """Your own and the published ones, newest first."""
    rows, following = page_of(DataSetRow.objects.visible_to(_person(request)), cursor, reverse("api:datasets"))
    return {"items": [data_set_document(row) for row in rows], "next": following}


@router.get("/{id}", response={200: DataSet} | problems(401, 404, 422, 429), url_name="dataset", summary="One data set")
def get_data_set(request: HttpRequest, id: str) -> Any:
    rows = DataSetRow.objects.visible_to(_person(request))
    return data_set_document(get_object_or_404(rows, pk=row_id(id)))


@router.post("/{id}/mapping", response=CHANGE, summary="Correct columns and labels")
def map_columns(request: HttpRequest, id: str, mapping: ColumnMapping) -> Any:
    """The same upload is imported again; earlier images and evaluations of it go."""
    data_set = _own(request, id)
    remap_data_set(data_set=data_set, mapping=mapping)
    data_set.refresh_from_db()
    return Status(202, data_set_document(data_set))


@router.post("/{id}/cancel", response=CHANGE, summary="Cancel an import")
def cancel(request: HttpRequest, id: str) -> Any:
    data_set = _own(request, id)
    cancel_import(data_set=data_set)
    data_set.refresh_from_db()
    return Status(202, data_set_document(data_set))


@router.delete("/{id}", response={204: None} | problems(401, 404, 422, 429), summary="Delete a data set")
def delete(request: HttpRequest, id: str) -> Any:
    """With its images, evaluations, comparisons and figures."""
    delete_data_set(data_set=_own(request, id))
    return Status(204, None)


def _own(request: HttpRequest, id: str) -> DataSetRow:
    return get_object_or_404(DataSetRow, pk=row_id(id), owner=_person(request))


def _person(request: HttpRequest) -> Any:
    return request.auth  # type: ignore[attr-defined]  # set by ninja
