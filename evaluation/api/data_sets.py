"""Data sets: upload and map; the rest as every long job."""

from typing import Annotated, Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from ninja import File, Form, Status
from ninja.files import UploadedFile

from evaluation.api.schemas import DataSet
from evaluation.intake.table import ColumnMapping
from evaluation.models import DataSet as DataSetRow
from evaluation.services.data_sets.create import create_data_set, remap_data_set
from evaluation.services.data_sets.document import data_set_document
from skinsite.api.access import MIB, Bearer, person_of
from skinsite.api.parsing import Text, row_id
from skinsite.api.problems import problems
from skinsite.jobs.api import accepted, job_router

router = job_router(DataSetRow, "list", "get", "cancel", "delete", shape=DataSet, document=data_set_document)
upload = Bearer(largest_body=settings.ARCHIVE_BYTES + settings.TABLE_BYTES + MIB)


@router.post("", auth=upload, response={202: DataSet} | problems(401, 413, 422, 429), summary="Upload a data set")
def create(
    request: HttpRequest,
    response: HttpResponse,
    name: Annotated[Text, Form(max_length=200)],
    archive: Annotated[UploadedFile, File(description="a zip with pictures")],
    labels: Annotated[UploadedFile | None, File(description="a CSV; or it lies in the zip")] = None,
) -> Any:
    """Imported in the queue: ask for the data set until it is done or failed."""
    made = create_data_set(owner=person_of(request), name=name, archive=archive, table=labels)
    return accepted(response, made, data_set_document)


@router.post(
    "/{id}/mapping",
    response={202: DataSet} | problems(401, 404, 409, 422, 429),
    summary="Correct columns and labels",
)
def map_columns(request: HttpRequest, id: str, mapping: ColumnMapping) -> Any:
    """The same upload is imported again; earlier images and evaluations of it go."""
    data_set = get_object_or_404(DataSetRow.objects.changeable_by(person_of(request)), pk=row_id(id))
    remap_data_set(data_set=data_set, mapping=mapping)
    data_set.refresh_from_db()
    return Status(202, data_set_document(data_set))
