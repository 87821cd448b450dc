"""The page of one case, its fragment that refreshes itself, and what can be done from there."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_POST
from django_htmx.http import HTMX_STOP_POLLING

from classifier.forms.case import AgainForm
from classifier.inference.maps.render import legend_colours
from classifier.models import Case, ModelRecord, Prediction
from classifier.services.cases.create import predict_again
from classifier.services.cases.history import with_answers
from classifier.services.cases.page import CasePage
from classifier.services.maps.explain import ask
from classifier.services.maps.view import View
from classifier.services.predictions.predict import cancel_case
from skinsite.diagnoses import MALIGNANT_DEFINITION
from skinsite.jobs import actions
from skinsite.refusal import Conflict, Refusal


@gzip_page
def case(request: HttpRequest, pk: int) -> HttpResponse:
    found = _case(request, pk)
    used = {row.model_id for image in found.images.all() for row in image.predictions.all()}
    page, wrong = _page(request, found)
    context = {
        "case": found,
        "page": page,
        "definition": MALIGNANT_DEFINITION,
        "wrong": wrong,
        "other_models": [model for model in ModelRecord.objects.ready() if model.pk not in used],
        "legend": legend_colours(24),
    }
    return render(request, "classifier/case.html", context)


def case_panel(request: HttpRequest, pk: int) -> HttpResponse:
    """What the models say, for the page to refresh; 286 ends the refreshing."""
    page, _wrong = _page(request, _case(request, pk))
    context = {"case": page.case, "page": page, "definition": MALIGNANT_DEFINITION}
    status = 200 if page.refreshes else HTMX_STOP_POLLING
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
    return _change(request, pk, actions.cancel)


@require_POST
def prediction_retry(request: HttpRequest, pk: int) -> HttpResponse:
    return _change(request, pk, actions.retry)


@require_POST
def prediction_explain(request: HttpRequest, pk: int) -> HttpResponse:
    """Try a map again that could not be made."""
    rows = Prediction.objects.visible_to(request.user).select_related("image__case__owner", "model")
    prediction = get_object_or_404(rows, pk=pk)
    method = request.POST.get("method", "")
    try:
        ask(prediction=prediction, method=method, again=True)
    except (Conflict, Refusal) as problem:
        messages.error(request, str(problem))
    query = urlencode({"image": prediction.image_id, "method": method})
    return redirect(f"{prediction.image.case.get_absolute_url()}?{query}")


def _change(request: HttpRequest, pk: int, change: Any) -> HttpResponse:
    rows = Prediction.objects.visible_to(request.user).select_related("image__case", "model")
    prediction = get_object_or_404(rows, pk=pk)
    try:
        change(prediction)
    except Conflict as conflict:
        messages.error(request, str(conflict))
    return redirect(f"{prediction.image.case.get_absolute_url()}?image={prediction.image_id}")


def _case(request: HttpRequest, pk: int) -> Case:
    return get_object_or_404(with_answers(Case.objects.visible_to(request.user)), pk=pk)


def _page(request: HttpRequest, found: Case) -> tuple[CasePage, str]:
    """Return what the address asks for, and what it says that cannot be shown."""
    view, wrong = View(), ""
    try:
        view = View.read(request.GET)
    except Refusal as refusal:
        wrong = str(refusal)
    return CasePage(found, image=request.GET.get("image", ""), shown=request.GET.get("map", ""), view=view), wrong
