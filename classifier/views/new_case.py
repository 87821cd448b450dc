"""Submitting a case."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from classifier.forms.case import CaseForm
from classifier.services.cases.create import create_case
from skinsite.refusal import submitted


def new_case(request: HttpRequest) -> HttpResponse:
    form = CaseForm(request.POST, request.FILES) if request.method == "POST" else CaseForm()
    case = submitted(
        form,
        lambda chosen: create_case(
            owner=request.user, uploads=form.uploads, models=list(chosen["models"]), details=form.details
        ),
    )
    if case:
        return redirect(case)
    status = 422 if request.method == "POST" else 200
    return render(request, "classifier/new_case.html", {"form": form}, status=status)
