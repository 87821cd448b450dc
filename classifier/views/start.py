"""The first page, what the portal is, and whether it is alive."""

from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from classifier.forms.case import CaseForm
from classifier.models import Case
from classifier.models.case import case_state
from classifier.services.cases.history import page_of_cases

RECENT = 12


@login_not_required
def start(request: HttpRequest) -> HttpResponse:
    if not request.user.is_authenticated:
        return render(request, "classifier/welcome.html")
    cases = page_of_cases(cases=Case.objects.visible_to(request.user), size=RECENT).cases
    waiting = [case for case in cases if _state(case) in ("running", "failed")]
    return render(request, "classifier/start.html", {"cases": cases, "waiting": waiting, "form": CaseForm()})


@login_not_required
def about(request: HttpRequest) -> HttpResponse:
    return render(request, "classifier/about.html")


@login_not_required
def healthz(request: HttpRequest) -> HttpResponse:
    """Answer `ok` when the database answers."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse("ok", content_type="text/plain")


def _state(case: Case) -> str:
    return case_state(row.state for image in case.images.all() for row in image.predictions.all())
