"""The registered models: the list, a model's page, its card, and what an administrator does from there."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.text import slugify
from django.views.decorators.http import require_POST
from django_htmx.http import HttpResponseClientRefresh

from classifier.forms.model import remedy
from classifier.models import ModelRecord
from classifier.models.model_record import ModelState
from classifier.services.models.card import readme
from classifier.services.models.register import choose_candidate, retire_model
from classifier.services.models.report import report_of
from classifier.services.models.versions import changes, version_before
from skinsite.accounts.administrators import require_administrator
from skinsite.media import serve
from skinsite.refusal import Conflict, Refusal


def models(request: HttpRequest) -> HttpResponse:
    return render(request, "classifier/models.html", {"models": ModelRecord.objects.visible_to(request.user)})


def model(request: HttpRequest, pk: int) -> HttpResponse:
    found = _visible(request, pk)
    versions = list(ModelRecord.objects.visible_to(request.user).filter(name=found.name).order_by("-pk"))
    context = {
        "model": found,
        "versions": versions,
        "report": report_of(found),
        "remedy": remedy(found),
        "checking": found.state == ModelState.CHECKING,
    }
    return render(request, "classifier/model.html", context | _compared(request, found, versions))


def model_admission(request: HttpRequest, pk: int) -> HttpResponse:
    """How far a check is, for the page to refresh; once it is decided, the page loads itself again."""
    found = _visible(request, pk)
    if found.state != ModelState.CHECKING:
        return HttpResponseClientRefresh()
    return render(request, "classifier/_checking.html", {"model": found})


def model_card(request: HttpRequest, pk: int) -> HttpResponseBase:
    """README.md as a Hugging Face repository has it."""
    found = _visible(request, pk)
    name = f"{slugify(found.name) or 'model'}-{slugify(found.version) or found.pk}-README.md"
    content = readme(found, request).encode()
    return serve(content, content_type="text/markdown; charset=utf-8", download_as=name)


@require_POST
def model_choose(request: HttpRequest, pk: int) -> HttpResponse:
    """One click: the same file again, as one of the candidates that it fits."""
    found = _administered(request, pk)
    number = request.POST.get("candidate", "")
    try:
        choose_candidate(record=found, number=int(number) if number.isdigit() else -1)
    except (Conflict, Refusal) as reason:
        messages.error(request, str(reason))
    return redirect(found)


@require_POST
def model_retire(request: HttpRequest, pk: int) -> HttpResponse:
    found = _administered(request, pk)
    try:
        retire_model(record=found)
    except Conflict as conflict:
        messages.error(request, str(conflict))
    return redirect(found)


def _visible(request: HttpRequest, pk: int) -> ModelRecord:
    return get_object_or_404(ModelRecord.objects.visible_to(request.user), pk=pk)


def _administered(request: HttpRequest, pk: int) -> ModelRecord:
    found = _visible(request, pk)
    require_administrator(request)
    return found


def _compared(request: HttpRequest, found: ModelRecord, versions: list[ModelRecord]) -> dict[str, object]:
    """This version beside another: the one that is asked for, or the one before it."""
    asked = request.GET.get("against", "")
    other = next((version for version in versions if str(version.pk) == asked and version != found), None)
    other = other or version_before(found, versions)
    return {"other": other, "changes": changes(other, found)} if other else {}
