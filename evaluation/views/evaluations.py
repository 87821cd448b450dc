"""Evaluations: start, read, take away."""

import json
from typing import Any

from django.contrib import messages
from django.core.files.storage import default_storage
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from evaluation.documents.evaluation_result import EvaluationResult
from evaluation.forms.choosing import EvaluationForm
from evaluation.models import Evaluation, LabelledImage
from evaluation.services.evaluations import capsule
from evaluation.services.evaluations.page import EvaluationPage, cell_images
from evaluation.services.evaluations.start import start_evaluation
from evaluation.services.evaluations.tables import prediction_rows, submission_rows
from skinsite import media
from skinsite.jobs import State, pages
from skinsite.refusal import Refusal
from skinsite.spreadsheet import plain_lines

FORMS = {"png": "image/png", "svg": "image/svg+xml", "pdf": "application/pdf"}
WALL = 48


def new(request: HttpRequest) -> HttpResponse:
    """Choose a data set and models; each model becomes an evaluation."""
    initial = {"dataset": request.GET.get("dataset", "")}
    form = EvaluationForm(request.POST or None, user=request.user, initial=initial)
    status = 200
    if request.method == "POST":
        if form.is_valid():
            made, refusal = _started(request.user, form)
            if refusal is None:
                return redirect(made[0] if len(made) == 1 else "evaluations")
            if made:
                rest = list(form.cleaned_data["models"])[len(made) :]
                queued, left = (", ".join(map(str, rows)) for rows in ([row.model for row in made], rest))
                messages.warning(request, f"Queued: {queued}. Not queued: {left}. {refusal}")
                return redirect("evaluations")
            form.add_error(None, str(refusal))
        status = 422
    return render(request, "evaluation/new_evaluation.html", {"form": form}, status=status)


def _started(person: Any, form: EvaluationForm) -> tuple[list[Evaluation], Refusal | None]:
    """Start one evaluation for each model until one is refused; return those that were started, and the reason."""
    made: list[Evaluation] = []
    for model in form.cleaned_data["models"]:
        try:
            made.append(start_evaluation(owner=person, data_set=form.cleaned_data["dataset"], model=model))
        except Refusal as refusal:
            return made, refusal
    return made, None


def evaluation(request: HttpRequest, pk: int) -> HttpResponse:
    found: Evaluation = pages.visible(request, pk, Evaluation)
    context: dict[str, Any] = {"evaluation": found, "own": found.owner_id == request.user.pk}
    if result := found.result:
        sources = Evaluation.objects.visible_to(request.user).filter(model=found.model_id, state=State.DONE)
        context["page"] = EvaluationPage(found, result)
        context["sources"] = sources.exclude(data_set=found.data_set_id).select_related("data_set").defer("document")
        context["points"] = found.operating_points.select_related("source__data_set")
    context["failures"] = found.failed_images.select_related("image")[:20]
    context["failure_count"] = found.failed_images.count()
    return render(request, "evaluation/evaluation.html", context)


def images(request: HttpRequest, pk: int) -> HttpResponse:
    """The images of one cell of the confusion matrix, or of one class, worst first."""
    found: Evaluation = pages.visible(request, pk, Evaluation)
    truth, said = request.GET.get("truth", ""), request.GET.get("predicted", "")
    rows = cell_images(found, truth=truth, predicted=said)
    page = Paginator(rows, WALL).get_page(request.GET.get("page"))
    pictures = LabelledImage.objects.in_bulk([row["pk"] for row in page])
    context = {
        "evaluation": found,
        "page": page,
        "cells": [row | {"image": pictures[row["pk"]]} for row in page],
        "truth": found.model.class_names.get(truth, truth),
        "said": found.model.class_names.get(said, said),
    }
    return render(request, "evaluation/evaluation_images.html", context)


@require_POST
def report_threshold(request: HttpRequest, pk: int) -> HttpResponse:
    """Store an operating point whose threshold was chosen elsewhere."""
    from evaluation.services.evaluations.operating_points import (
        report_operating_point,  # scikit-learn takes a second: not at the start
    )

    found: Evaluation = pages.changeable(request, pk, Evaluation)
    number = request.POST.get("source", "")
    visible = Evaluation.objects.visible_to(request.user).select_related("model", "data_set")
    source = get_object_or_404(visible, pk=int(number)) if number.isascii() and number.isdigit() else None
    try:
        target = float(request.POST.get("target", ""))
    except ValueError:
        target = 0.0
    try:
        report_operating_point(
            evaluation=found, definition=request.POST.get("definition", ""), target=target, source=source
        )
    except Refusal as refusal:
        messages.error(request, str(refusal))
    return redirect(f"{found.get_absolute_url()}#reported")


def predictions_csv(request: HttpRequest, pk: int) -> HttpResponseBase:
    found: Evaluation = pages.visible(request, pk, Evaluation)
    rows, name = plain_lines(prediction_rows(found)), f"predictions-{found.pk}.csv"
    return media.serve(rows, content_type="text/csv; charset=utf-8", download_as=name)


def submission_csv(request: HttpRequest, pk: int) -> HttpResponseBase:
    found: Evaluation = pages.visible(request, pk, Evaluation)
    rows, name = plain_lines(submission_rows(found)), f"submission-{found.pk}.csv"
    return media.serve(rows, content_type="text/csv; charset=utf-8", download_as=name)


def metrics_json(request: HttpRequest, pk: int) -> HttpResponseBase:
    found = _done(request, pk)
    content = json.dumps(capsule.metrics_document(found), indent=1).encode()
    return media.serve(content, content_type="application/json", download_as=f"metrics-{found.pk}.json")


def capsule_zip(request: HttpRequest, pk: int) -> HttpResponseBase:
    found = _done(request, pk)
    name, result = f"evaluation-{found.pk}.zip", EvaluationResult.model_validate(found.document)
    return media.serve(capsule.capsule(found, result), content_type="application/zip", download_as=name)


def figure(request: HttpRequest, pk: int, kind: str, form: str) -> HttpResponseBase:
    found = _done(request, pk)
    name = found.document.get("figures", {}).get(kind, {}).get(form)
    if name is None or form not in FORMS:
        raise Http404
    with default_storage.open(name, "rb") as file:
        content = file.read()
    return media.serve(content, content_type=FORMS[form], download_as=f"{kind}-{found.pk}.{form}")


def _done(request: HttpRequest, pk: int) -> Evaluation:
    found: Evaluation = pages.visible(request, pk, Evaluation)
    if not found.document:
        raise Http404
    return found
