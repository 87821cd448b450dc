"""Comparisons of evaluations."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from ninja import Router, Status

from evaluation.api.schemas import Comparison, ComparisonList, NewComparison
from evaluation.models import Comparison as ComparisonRow
from evaluation.models import Evaluation
from evaluation.services.comparisons.start import start_comparison
from evaluation.services.evaluations.document import comparison_document
from skinsite.api.paging import page_of
from skinsite.api.parsing import row_id
from skinsite.api.problems import problems

router = Router(tags=["comparisons"])
READ = problems(401, 404, 422, 429)


@router.post("", response={202: Comparison} | READ, summary="Compare evaluations")
def create(request: HttpRequest, response: HttpResponse, asked: NewComparison) -> Any:
    """Two or more on the same data set, in a named taxonomy."""
    person = _person(request)
    rows = Evaluation.objects.visible_to(person).select_related("model", "data_set")
    evaluations = [get_object_or_404(rows, pk=row_id(id)) for id in asked.evaluations]
    made = start_comparison(owner=person, evaluations=evaluations, taxonomy_name=asked.taxonomy)
    response["Location"] = reverse("api:comparison", args=[made.pk])
    return Status(202, comparison_document(made))


@router.get("", response={200: ComparisonList} | READ, url_name="comparisons", summary="List comparisons")
def list_comparisons(request: HttpRequest, cursor: str = "") -> Any:
    """Newest first, without their numbers."""
    rows = ComparisonRow.objects.visible_to(_person(request)).defer("document")
    found, following = page_of(rows, cursor, reverse("api:comparisons"))
    for row in found:
        row.document = {}
    return {"items": [comparison_document(row) for row in found], "next": following}


@router.get("/{id}", response={200: Comparison} | READ, url_name="comparison", summary="One comparison")
def get_comparison(request: HttpRequest, id: str) -> Any:
    return comparison_document(get_object_or_404(ComparisonRow.objects.visible_to(_person(request)), pk=row_id(id)))


@router.delete("/{id}", response={204: None} | READ, summary="Delete a comparison")
def delete(request: HttpRequest, id: str) -> Any:
    get_object_or_404(ComparisonRow, pk=row_id(id), owner=_person(request)).delete()
    return Status(204, None)


def _person(request: HttpRequest) -> Any:
    return request.auth  # type: ignore[attr-defined]  # set by ninja
