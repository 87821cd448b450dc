"""Comparisons: list, start, read."""

import json

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from evaluation.forms.choosing import ComparisonForm
from evaluation.models import Comparison, Evaluation, LabelledImage
from evaluation.services.comparisons.open_as_cases import AT_ONCE, any_open, open_images, opened
from evaluation.services.comparisons.page import ComparisonPage
from evaluation.services.comparisons.start import start_comparison
from evaluation.services.map_checks.page import of_comparison
from skinsite import media
from skinsite.disclaimer import DISCLAIMER
from skinsite.jobs import OPEN, State
from skinsite.refusal import Refusal


def comparisons(request: HttpRequest) -> HttpResponse:
    rows = Comparison.objects.visible_to(request.user).select_related("data_set", "owner")
    rows = rows.prefetch_related("evaluations__model")
    page = Paginator(rows, 40).get_page(request.GET.get("page"))
    return render(request, "evaluation/comparisons.html", {"page": page})


def new(request: HttpRequest) -> HttpResponse:
    """Choose evaluations of one data set and a taxonomy."""
    form = ComparisonForm(request.POST or None, user=request.user, initial={"taxonomy": "ham7"})
    status = 200
    if request.method == "POST":
        if form.is_valid():
            try:
                made = start_comparison(
                    owner=request.user,
                    evaluations=list(form.cleaned_data["evaluations"]),
                    taxonomy_name=form.cleaned_data["taxonomy"],
                )
            except Refusal as refusal:
                for problem in refusal.problems:
                    form.add_error(problem.field if problem.field in form.fields else None, problem.message)
            else:
                return redirect(made)
        status = 422
    rows = (
        Evaluation.objects.visible_to(request.user)
        .filter(state=State.DONE)
        .select_related("model", "data_set")
        .in_short()
    )
    chosen = request.POST.getlist("evaluations") or request.GET.getlist("evaluation")
    context = {"form": form, "rows": rows.order_by("data_set__name", "pk"), "chosen": chosen}
    return render(request, "evaluation/new_comparison.html", context, status=status)


def comparison(request: HttpRequest, pk: int) -> HttpResponse:
    found = _visible(request, pk)
    drawn = opened(user=request.user, comparison=found)
    models = list(found.evaluations.values_list("model", flat=True))
    context = {
        "maps": of_comparison(request.user, found.data_set, models),
        "comparison": found,
        "own": found.owner_id == request.user.pk,
        "refreshes": found.state in OPEN,
        "drawing": any_open(drawn),
        "page": ComparisonPage(found, drawn) if found.document else None,
    }
    return render(request, "evaluation/comparison.html", context)


@require_POST
def open_as_cases(request: HttpRequest, pk: int) -> HttpResponse:
    """Make cases of the images that are named, or of the first ones on which the models disagree."""
    found = _visible(request, pk)
    listed = [row["image"] for row in found.document.get("disagreements", [])]
    wanted = [number for number in listed if str(number) in request.POST.getlist("image")] or listed
    rows = LabelledImage.objects.filter(data_set=found.data_set_id).select_related("data_set").in_bulk(wanted)
    images = [rows[number] for number in wanted if number in rows][:AT_ONCE]
    try:
        open_images(user=request.user, comparison=found, images=images)
    except Refusal as refusal:
        messages.error(request, str(refusal))
    return redirect(f"{found.get_absolute_url()}#disagreements")


def metrics_json(request: HttpRequest, pk: int) -> HttpResponseBase:
    found = _visible(request, pk)
    if not found.document:
        raise Http404
    document = {"notice": DISCLAIMER, "taxonomy": found.taxonomy} | found.document
    content = json.dumps(document, indent=1).encode()
    return media.serve(content, content_type="application/json", download_as=f"comparison-{pk}.json")


def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask, then delete one's own comparison."""
    found = get_object_or_404(Comparison, pk=pk, owner=request.user)
    if request.method == "POST":
        found.delete()
        messages.success(request, "The comparison was deleted.")
        return redirect("comparisons")
    return render(request, "evaluation/delete.html", {"thing": found, "what": "comparison", "counts": {}})


def _visible(request: HttpRequest, pk: int) -> Comparison:
    found: Comparison = get_object_or_404(Comparison.objects.visible_to(request.user).select_related("data_set"), pk=pk)
    return found
