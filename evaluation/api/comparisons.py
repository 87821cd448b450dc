"""Comparisons of evaluations."""

from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404

from evaluation.api.schemas import Comparison, NewComparison
from evaluation.models import Comparison as ComparisonRow
from evaluation.models import Evaluation
from evaluation.services.comparisons.document import comparison_document
from evaluation.services.comparisons.start import start_comparison
from skinsite.api.access import person_of
from skinsite.api.parsing import row_id
from skinsite.api.problems import problems
from skinsite.jobs.api import accepted, job_router

router = job_router(
    ComparisonRow,
    "list",
    "get",
    "delete",
    shape=Comparison,
    document=comparison_document,
    in_list=partial(comparison_document, numbers=False),
)


@router.post("", response={202: Comparison} | problems(401, 404, 422, 429), summary="Compare evaluations")
def create(request: HttpRequest, response: HttpResponse, asked: NewComparison) -> Any:
    """Two or more on the same data set, in a named taxonomy."""
    person = person_of(request)
    rows = Evaluation.objects.visible_to(person).select_related("model", "data_set")
    evaluations = [get_object_or_404(rows, pk=row_id(id)) for id in asked.evaluations]
    made = start_comparison(owner=person, evaluations=evaluations, taxonomy_name=asked.taxonomy)
    return accepted(response, made, comparison_document)
