"""Map checks: start, follow, read."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST
from django_htmx.http import HttpResponseClientRefresh

from evaluation.forms.map_check import MapCheckForm
from evaluation.models import MapCheck
from evaluation.services.map_checks.page import MapPage
from evaluation.services.map_checks.start import cancel_map_check, retry_map_check, start_map_check
from skinsite.refusal import Conflict, Refusal


def new(request: HttpRequest) -> HttpResponse:
    """Choose a model and a data set; the page of either comes with its own chosen."""
    initial = {name: request.GET.get(name, "") for name in ("model", "dataset")}
    form = MapCheckForm(request.POST or None, user=request.user, initial=initial)
    status = 200
    if request.method == "POST":
        if form.is_valid():
            chosen = form.cleaned_data
            try:
                return redirect(start_map_check(owner=request.user, data_set=chosen["dataset"], model=chosen["model"]))
            except Refusal as refusal:
                for problem in refusal.problems:
                    form.add_error(problem.field, problem.message)
            except Conflict as conflict:
                form.add_error(None, str(conflict))
        status = 422
    return render(request, "evaluation/new_map_check.html", {"form": form}, status=status)


def map_check(request: HttpRequest, pk: int) -> HttpResponse:
    found = _visible(request, pk)
    page = MapPage(found) if found.document else None
    context = {"check": found, "page": page, "own": _may_change(request, found)}
    return render(request, "evaluation/map_check.html", context)


def progress(request: HttpRequest, pk: int) -> HttpResponse:
    """How far it is, for the page to refresh; the whole page is asked for at the end."""
    found = _visible(request, pk)
    if found.is_final:
        return HttpResponseClientRefresh()
    context = {"check": found, "own": _may_change(request, found)}
    return render(request, "evaluation/_map_progress.html", context)


@require_POST
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    return _change(request, pk, cancel_map_check)


@require_POST
def retry(request: HttpRequest, pk: int) -> HttpResponse:
    return _change(request, pk, retry_map_check)


def _change(request: HttpRequest, pk: int, change: Any) -> HttpResponse:
    found = get_object_or_404(MapCheck.objects.changeable_by(request.user), pk=pk)
    try:
        change(check=found)
    except Conflict as conflict:
        messages.error(request, str(conflict))
    return redirect(found)


def _may_change(request: HttpRequest, check: MapCheck) -> bool:
    return MapCheck.objects.changeable_by(request.user).filter(pk=check.pk).exists()


def _visible(request: HttpRequest, pk: int) -> MapCheck:
    rows = MapCheck.objects.visible_to(request.user).select_related("model", "data_set", "owner")
    found: MapCheck = get_object_or_404(rows, pk=pk)
    return found
