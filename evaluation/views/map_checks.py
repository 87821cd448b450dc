"""Map checks: start and read."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from evaluation.forms.map_check import MapCheckForm
from evaluation.models import MapCheck
from evaluation.services.map_checks.page import MapPage
from evaluation.services.map_checks.start import start_map_check
from skinsite.jobs import pages
from skinsite.refusal import submitted


def new(request: HttpRequest) -> HttpResponse:
    """Choose a model and a data set; the page of either comes with its own chosen."""
    initial = {name: request.GET.get(name, "") for name in ("model", "dataset")}
    form = MapCheckForm(request.POST or None, user=request.user, initial=initial)
    made = submitted(
        form,
        lambda chosen: start_map_check(owner=request.user, data_set=chosen["dataset"], model=chosen["model"]),
    )
    if made:
        return redirect(made)
    status = 422 if request.method == "POST" else 200
    return render(request, "evaluation/new_map_check.html", {"form": form}, status=status)


def map_check(request: HttpRequest, pk: int) -> HttpResponse:
    found: MapCheck = pages.visible(request, pk, MapCheck)
    page = MapPage(found) if found.document else None
    context = {"check": found, "page": page, "own": pages.may_change(request, found)}
    return render(request, "evaluation/map_check.html", context)
