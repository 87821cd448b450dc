"""Comparisons: start, read, open as cases."""

import json

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from evaluation.forms.choosing import ComparisonForm
from evaluation.models import Comparison, Evaluation, LabelledImage
from evaluation.services.comparisons.open_as_cases import AT_ONCE, any_open, open_images, opened
from evaluation.services.comparisons.page import ComparisonPage
from evaluation.services.comparisons.start import start_comparison
from evaluation.services.map_checks.page import of_comparison
from skinsite import media
from skinsite.disclaimer import DISCLAIMER
from skinsite.jobs import State, pages
from skinsite.refusal import Refusal, submitted


def new(request: HttpRequest) -> HttpResponse:
    """Choose evaluations of one data set and a taxonomy."""
    form = ComparisonForm(request.POST or None, user=request.user, initial={"taxonomy": "ham7"})
    made = submitted(
        form,
        lambda chosen: start_comparison(
            owner=request.user, evaluations=list(chosen["evaluations"]), taxonomy_name=chosen["taxonomy"]
        ),
    )
    if made:
        return redirect(made)
    rows = Evaluation.objects.visible_to(request.user).filter(state=State.DONE).in_short()
    chosen = request.POST.getlist("evaluations") or request.GET.getlist("evaluation")
    context = {"form": form, "rows": rows.order_by("data_set__name", "pk"), "chosen": chosen}
    status = 422 if request.method == "POST" else 200
    return render(request, "evaluation/new_comparison.html", context, status=status)


def comparison(request: HttpRequest, pk: int) -> HttpResponse:
    found: Comparison = pages.visible(request, pk, Comparison)
    drawn = opened(user=request.user, comparison=found)
    models, result = list(found.evaluations.values_list("model", flat=True)), found.result
    context = {
        "maps": of_comparison(request.user, found.data_set, models),
        "comparison": found,
        "own": found.owner_id == request.user.pk,
        "refreshes": not found.is_final,
        "drawing": any_open(drawn),
        "page": ComparisonPage(found, result, drawn) if result else None,
    }
    return render(request, "evaluation/comparison.html", context)


@require_POST
def open_as_cases(request: HttpRequest, pk: int) -> HttpResponse:
    """Make cases of the images that are named, or of the first ones on which the models disagree."""
    found: Comparison = pages.visible(request, pk, Comparison)
    result = found.result
    listed = [row.image for row in result.disagreements] if result else []
    wanted = [number for number in listed if str(number) in request.POST.getlist("image")] or listed
    rows = LabelledImage.objects.filter(data_set=found.data_set_id).select_related("data_set").in_bulk(wanted)
    images = [rows[number] for number in wanted if number in rows][:AT_ONCE]
    try:
        open_images(user=request.user, comparison=found, images=images)
    except Refusal as refusal:
        messages.error(request, str(refusal))
    return redirect(f"{found.get_absolute_url()}#disagreements")


def metrics_json(request: HttpRequest, pk: int) -> HttpResponseBase:
    found: Comparison = pages.visible(request, pk, Comparison)
    if not found.document:
        raise Http404
    document = {"notice": DISCLAIMER, "taxonomy": found.taxonomy} | found.document
    content = json.dumps(document, indent=1).encode()
    return media.serve(content, content_type="application/json", download_as=f"comparison-{pk}.json")
