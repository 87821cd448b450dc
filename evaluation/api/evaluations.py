"""Evaluations: start, and take the predictions away; the rest as every long job."""

from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404

from classifier.models import ModelRecord
from evaluation.api.schemas import Evaluation, NewEvaluation
from evaluation.models import DataSet
from evaluation.models import Evaluation as EvaluationRow
from evaluation.services.evaluations.document import evaluation_document
from evaluation.services.evaluations.start import delete_evaluation, start_evaluation
from evaluation.services.evaluations.tables import prediction_rows
from skinsite.api.access import Bearer, Session, person_of
from skinsite.api.parsing import row_id
from skinsite.api.problems import problems
from skinsite.jobs.api import accepted, job_router
from skinsite.media import serve
from skinsite.spreadsheet import plain_lines

router = job_router(
    EvaluationRow,
    "list",
    "get",
    "cancel",
    "retry",
    "delete",
    shape=Evaluation,
    document=evaluation_document,
    in_list=partial(evaluation_document, sheets=False),
    delete=delete_evaluation,
)


@router.post("", response={202: Evaluation} | problems(401, 404, 422, 429), summary="Evaluate a model on a data set")
def create(request: HttpRequest, response: HttpResponse, asked: NewEvaluation) -> Any:
    """Worked on in the queue, in turns with other people's."""
    person = person_of(request)
    made = start_evaluation(
        owner=person,
        data_set=get_object_or_404(DataSet.objects.visible_to(person), pk=row_id(asked.dataset)),
        model=get_object_or_404(ModelRecord.objects.visible_to(person), pk=row_id(asked.model)),
    )
    return accepted(response, made, evaluation_document)


@router.get(
    "/{id}/predictions.csv",
    auth=[Bearer(), Session()],
    response={200: bytes} | problems(401, 404, 422, 429),
    url_name="evaluation_predictions",
    summary="All predictions as CSV",
)
def predictions(request: HttpRequest, id: str) -> HttpResponseBase:
    rows = EvaluationRow.objects.visible_to(person_of(request)).select_related("model", "data_set", "owner")
    found: EvaluationRow = get_object_or_404(rows, pk=row_id(id))
    name = f"predictions-{found.pk}.csv"
    return serve(plain_lines(prediction_rows(found)), content_type="text/csv; charset=utf-8", download_as=name)
