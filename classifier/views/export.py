"""Exports of one case, of a selection, or of what the filters leave."""

import json
from collections.abc import Iterator

from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404

from classifier.filters import CaseFilter
from classifier.models import Case
from classifier.services.cases.export import documents, full_case_document, table, with_everything
from skinsite.disclaimer import DISCLAIMER
from skinsite.media import serve
from skinsite.spreadsheet import lines

JSON, CSV = "application/json", "text/csv; charset=utf-8"


def case_json(request: HttpRequest, pk: int) -> HttpResponseBase:
    case = get_object_or_404(with_everything(Case.objects.visible_to(request.user)), pk=pk)
    content = json.dumps(full_case_document(case), ensure_ascii=False, indent=1).encode()
    return serve(content, content_type=JSON, download_as=f"case-{pk}.json")


def case_csv(request: HttpRequest, pk: int) -> HttpResponseBase:
    case = get_object_or_404(Case.objects.visible_to(request.user), pk=pk)
    rows = table(Case.objects.filter(pk=case.pk))
    return serve(lines(rows), content_type=CSV, download_as=f"case-{pk}.csv")


def cases_json(request: HttpRequest) -> HttpResponseBase:
    return serve(_json_lines(_chosen(request)), content_type=JSON, download_as="cases.json")


def cases_csv(request: HttpRequest) -> HttpResponseBase:
    return serve(lines(table(_chosen(request))), content_type=CSV, download_as="cases.csv")


def _chosen(request: HttpRequest) -> QuerySet[Case]:
    """The cases that are named by `id`; without any, what the filters in the address leave."""
    asked = [pk for pk in request.GET.getlist("id") if pk.isascii() and pk.isdigit() and len(pk) <= 18]
    if asked:
        return Case.objects.visible_to(request.user).filter(pk__in=map(int, asked)).order_by("pk")
    narrowed = CaseFilter(request.GET, user=request.user)
    return narrowed.qs.order_by("pk") if narrowed.form.is_valid() else Case.objects.none()


def _json_lines(cases: QuerySet[Case]) -> Iterator[bytes]:
    """Yield one JSON object, case by case, so that a long history needs no memory."""
    yield f'{{"disclaimer": {json.dumps(DISCLAIMER)}, "cases": ['.encode()
    for position, document in enumerate(documents(cases)):
        yield ((",\n" if position else "\n") + json.dumps(document, ensure_ascii=False)).encode()
    yield b"\n]}\n"
