"""Evaluations: start, follow, take away."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from ninja import Router, Status

from classifier.models import ModelRecord
from evaluation.api.schemas import Evaluation, EvaluationList, NewEvaluation
from evaluation.models import DataSet
from evaluation.models import Evaluation as EvaluationRow
from evaluation.services.evaluations.document import evaluation_document
from evaluation.services.evaluations.run import cancel_evaluation, delete_evaluation, retry_evaluation, start_evaluation
from evaluation.services.evaluations.tables import prediction_rows
from skinsite.api.access import Bearer, Session
from skinsite.api.paging import page_of
from skinsite.api.parsing import row_id
from skinsite.api.problems import problems
from skinsite.media import serve
from skinsite.spreadsheet import plain_lines

router = Router(tags=["evaluations"])
READ = problems(401, 404, 422, 429)
CHANGE = {202: Evaluation} | problems(401, 404, 409, 422, 429)


@router.post("", response={202: Evaluation} | READ, summary="Evaluate a model on a data set")
def create(request: HttpRequest, response: HttpResponse, asked: NewEvaluation) -> Any:
    """Worked on in the queue, in turns with other people's."""
    person = _person(request)
    made = start_evaluation(
        owner=person,
        data_set=get_object_or_404(DataSet.objects.visible_to(person), pk=row_id(asked.dataset)),
        model=get_object_or_404(ModelRecord.objects.visible_to(person), pk=row_id(asked.model)),
    )
    response["Location"] = reverse("api:evaluation", args=[made.pk])
    return Status(202, evaluation_document(made))


@router.get("", response={200: EvaluationList} | READ, url_name="evaluations", summary="List evaluations")
def list_evaluations(request: HttpRequest, cursor: str = "") -> Any:
    """Newest first, without their sheets."""
    rows = EvaluationRow.objects.visible_to(_person(request)).select_related("model", "data_set").defer("document")
    found, following = page_of(rows, cursor, reverse("api:evaluations"))
    return {"items": [evaluation_document(row, sheets=False) for row in found], "next": following}


@router.get("/{id}", response={200: Evaluation} | READ, url_name="evaluation", summary="One evaluation")
def get_evaluation(request: HttpRequest, id: str) -> Any:
    return evaluation_document(_visible(request, id))


@router.get(
    "/{id}/predictions.csv",
    auth=[Bearer(), Session()],
    response={200: bytes} | READ,
    url_name="evaluation_predictions",
    summary="All predictions as CSV",
)
def predictions(request: HttpRequest, id: str) -> HttpResponseBase:
    found = _visible(request, id)
    rows = plain_lines(prediction_rows(found))
    return serve(rows, content_type="text/csv; charset=utf-8", download_as=f"predictions-{found.pk}.csv")


@router.post("/{id}/cancel", response=CHANGE, summary="Cancel")
def cancel(request: HttpRequest, id: str) -> Any:
    evaluation = _own(request, id)
    cancel_evaluation(evaluation=evaluation)
    return Status(202, evaluation_document(_visible(request, id)))


@router.post("/{id}/retry", response=CHANGE, summary="Try the failed images again")
def retry(request: HttpRequest, id: str) -> Any:
    """Of a failed or cancelled evaluation, what has no answer yet."""
    evaluation = _own(request, id)
    retry_evaluation(evaluation=evaluation)
    return Status(202, evaluation_document(_visible(request, id)))


@router.delete("/{id}", response={204: None} | READ, summary="Delete an evaluation")
def delete(request: HttpRequest, id: str) -> Any:
    delete_evaluation(evaluation=_own(request, id))
    return Status(204, None)


def _visible(request: HttpRequest, id: str) -> EvaluationRow:
    rows = EvaluationRow.objects.visible_to(_person(request)).select_related("model", "data_set", "owner")
    found: EvaluationRow = get_object_or_404(rows, pk=row_id(id))
    return found


def _own(request: HttpRequest, id: str) -> EvaluationRow:
    rows = EvaluationRow.objects.select_related("model", "data_set", "owner")
    found: EvaluationRow = get_object_or_404(rows, pk=row_id(id), owner=_person(request))
    return found


def _person(request: HttpRequest) -> Any:
    return request.auth  # type: ignore[attr-defined]  # set by ninja
