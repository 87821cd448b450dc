"""Submitting a case."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from classifier.forms.case import CaseForm
from classifier.services.cases.create import create_case
from skinsite.refusal import Refusal


def new_case(request: HttpRequest) -> HttpResponse:
    form = CaseForm(request.POST, request.FILES) if request.method == "POST" else CaseForm()
    status = 200
    if request.method == "POST":
        if form.is_valid():
            try:
                case = create_case(
                    owner=request.user,
                    uploads=form.uploads,
                    models=list(form.cleaned_data["models"]),
                    details=form.details,
                )
            except Refusal as refusal:
                for problem in refusal.problems:
                    form.add_error(problem.field if problem.field in form.fields else None, problem.message)
            else:
                return redirect(case)
        status = 422
    return render(request, "classifier/new_case.html", {"form": form}, status=status)
