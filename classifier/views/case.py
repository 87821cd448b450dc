"""The page of one case, its fragment that refreshes itself, and what can be done from there."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST
from django_htmx.http import HTMX_STOP_POLLING

from classifier.forms.case import AgainForm
from classifier.inference.heat import legend_colours
from classifier.models import Case, ModelRecord, Prediction
from classifier.services.case_page import CasePage
from classifier.services.cases import predict_again
from classifier.services.history import with_answers
from classifier.services.predictions import cancel_case, cancel_prediction, retry_prediction
from skinsite.diagnoses import MALIGNANT_DEFINITION
from skinsite.refusal import Conflict, Refusal


def case(request: HttpRequest, pk: int) -> HttpResponse:
    found = _case(request, pk)
    used = {row.model_id for image in found.images.all() for row in image.predictions.all()}
    context = _context(request, found) | {
        "other_models": [model for model in ModelRecord.objects.ready() if model.pk not in used],
        "legend": legend_colours(24),
    }
    return render(request, "classifier/case.html", context)


def case_panel(request: HttpRequest, pk: int) -> HttpResponse:
    """What the models say, for the page to refresh; 286 ends the refreshing."""
    context = _context(request, _case(request, pk))
    status = HTMX_STOP_POLLING if context["page"].is_final else 200
    return render(request, "classifier/_panel.html", context, status=status)


@require_POST
def case_again(request: HttpRequest, pk: int) -> HttpResponse:
    found = _case(request, pk)
    form = AgainForm(request.POST)
    if form.is_valid():
        try:
            number = predict_again(case=found, models=list(form.cleaned_data["models"]))
            messages.success(request, f"{number} predictions were queued.")
        except Refusal as refusal:
            messages.error(request, str(refusal))
    else:
        messages.error(request, "Choose at least one model that is ready.")
    return redirect(found)


@require_POST
def case_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    found = _case(request, pk)
    messages.info(request, f"{cancel_case(case=found)} predictions were cancelled.")
    return redirect(found)


@require_POST
def prediction_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    return _change(request, pk, cancel_prediction)


@require_POST
def prediction_retry(request: HttpRequest, pk: int) -> HttpResponse:
    return _change(request, pk, retry_prediction)


def _change(request: HttpRequest, pk: int, change: Any) -> HttpResponse:
    rows = Prediction.objects.visible_to(request.user).select_related("image__case", "model")
    prediction = get_object_or_404(rows, pk=pk)
    try:
        change(prediction=prediction)
    except Conflict as conflict:
        messages.error(request, str(conflict))
    return redirect(f"{prediction.image.case.get_absolute_url()}?image={prediction.image_id}")


def _case(request: HttpRequest, pk: int) -> Case:
    return get_object_or_404(with_answers(Case.objects.visible_to(request.user)), pk=pk)


def _context(request: HttpRequest, found: Case) -> dict[str, Any]:
    page = CasePage(found, image=request.GET.get("image", ""), shown=request.GET.get("map", ""))
    return {"case": found, "page": page, "definition": MALIGNANT_DEFINITION}
