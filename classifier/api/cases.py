"""Cases: submit, list, read, export, delete."""

from typing import Annotated, Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from ninja import File, Form, Query, Router, Status
from ninja.files import UploadedFile

from classifier.api.schemas import Case, CaseFields, CaseList, CaseQuery
from classifier.filters import CaseFilter
from classifier.inference.input.images import Limits
from classifier.models import Case as CaseRow
from classifier.models import ModelRecord
from classifier.models.model_record import ModelState
from classifier.services.cases.create import CaseDetails, Upload, create_case, delete_cases
from classifier.services.cases.export import full_case_document, with_everything
from classifier.services.cases.history import page_of_cases, with_answers
from classifier.services.predictions.documents import Document, case_document
from classifier.services.predictions.waiting import positions_in
from skinsite.api.access import MIB, Bearer, person_of
from skinsite.api.parsing import row_id
from skinsite.api.problems import problems
from skinsite.diagnoses import DIAGNOSES
from skinsite.refusal import Problem, Refusal
from skinsite.strict_json import usable_text

router = Router(tags=["cases"])
submission = Bearer(largest_body=settings.IMAGES_A_CASE * Limits().bytes + MIB)
READ = problems(401, 404, 422, 429)


@router.post(
    "",
    auth=submission,
    response={202: Case} | problems(401, 404, 413, 422, 429),
    url_name="cases",
    summary="Submit a case",
)
def submit(
    request: HttpRequest,
    response: HttpResponse,
    fields: Annotated[CaseFields, Form()],
    images: Annotated[list[UploadedFile], File(description="one or more pictures of one lesion")],
) -> Any:
    """The good pictures become a case; the others are named in `refused`. No good one: 422."""
    case = create_case(
        owner=person_of(request),
        uploads=[Upload(usable_text(image.name or "image"), image) for image in images],
        models=_ready_models(request, fields.models),
        details=CaseDetails(
            title=fields.title,
            age=fields.age,
            sex=fields.sex,
            site=fields.site,
            reference=_known_diagnosis(fields.reference),
            note=fields.note,
        ),
    )
    response["Location"] = reverse("api:case", args=[case.pk])
    return Status(202, _document(request, case.pk))


@router.get("", response={200: CaseList} | READ, url_name="cases", summary="List cases")
def list_cases(request: HttpRequest, query: Annotated[CaseQuery, Query()]) -> Any:
    """Your own, newest first unless `sort` says otherwise; `next` is the address of the following page."""
    asked = {name: value for name, value in query.dict(by_alias=True).items() if value not in (None, "")}
    narrowed = CaseFilter(asked, user=person_of(request))
    if not narrowed.form.is_valid():
        errors = narrowed.form.errors.get_json_data()
        raise Refusal(*(Problem(name, entry["message"]) for name, found in errors.items() for entry in found))
    page = page_of_cases(cases=narrowed.qs, sort=narrowed.sorting, cursor=query.cursor, size=query.limit)
    positions = positions_in(
        row for case in page.cases for image in case.images.all() for row in image.predictions.all()
    )
    following = f"{reverse('api:cases')}?{urlencode(asked | {'cursor': page.next})}" if page.next else None
    return {"items": [case_document(case, positions) for case in page.cases], "next": following}


@router.get("/{id}", response={200: Case} | READ, url_name="case", summary="One case")
def get_case(request: HttpRequest, id: str) -> Any:
    return _document(request, row_id(id))


@router.get("/{id}/export.json", response={200: dict[str, Any]} | READ, summary="One case with its provenance")
def export(request: HttpRequest, id: str) -> Any:
    cases = with_everything(CaseRow.objects.visible_to(person_of(request)))
    return full_case_document(get_object_or_404(cases, pk=row_id(id)))


@router.delete("/{id}", response={204: None} | READ, summary="Delete a case")
def delete(request: HttpRequest, id: str) -> Any:
    """With its pictures, predictions and maps."""
    delete_cases([get_object_or_404(CaseRow.objects.visible_to(person_of(request)), pk=row_id(id))])
    return Status(204, None)


def _document(request: HttpRequest, pk: int) -> Document:
    case = get_object_or_404(with_answers(CaseRow.objects.visible_to(person_of(request))), pk=pk)
    return case_document(case, positions_in(row for image in case.images.all() for row in image.predictions.all()))


def _ready_models(request: HttpRequest, ids: list[str]) -> list[ModelRecord]:
    """Return the models in the order that was asked for. Http404 for one that does not exist or is not visible."""
    visible = ModelRecord.objects.visible_to(person_of(request))
    models = [get_object_or_404(visible, pk=row_id(id)) for id in dict.fromkeys(ids[: settings.MODELS_A_CASE + 1])]
    for model in models:
        if model.state != ModelState.READY:
            raise Refusal(Problem("models", f"{model} is {model.state}: choose a model that is ready."))
    return models


def _known_diagnosis(code: str) -> str:
    known = code.strip().lower()
    if known and known not in DIAGNOSES:
        raise Refusal(Problem("reference", f"The code {code!r} is not known. Known are: {', '.join(DIAGNOSES)}."))
    return known
