"""A person's cases: finding, choosing, deleting."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from classifier.filters import CaseFilter
from classifier.models import Case
from classifier.models.case import case_state
from classifier.services.cases.create import delete_cases
from classifier.services.cases.history import Page, page_of_cases, with_answers
from skinsite.refusal import Refusal


def cases(request: HttpRequest) -> HttpResponse:
    narrowed = CaseFilter(request.GET, user=request.user)
    valid = narrowed.form.is_valid()
    page = Page([], "", "")
    if valid:
        try:
            cursor = request.GET.get("cursor", "")
            page = page_of_cases(cases=narrowed.qs, sort=narrowed.sorting, cursor=cursor)
        except Refusal as refusal:
            messages.error(request, str(refusal))
    context = {
        "filter": narrowed,
        "chips": _chips(request, narrowed) if valid else [],
        "page": page,
        "rows": [{"case": case, "state": _state(case)} for case in page.cases],
    }
    return render(request, "classifier/cases.html", context, status=200 if valid else 422)


def delete(request: HttpRequest) -> HttpResponse:
    """Ask, then delete the cases that are named by `id`."""
    asked = request.POST.getlist("id") or request.GET.getlist("id")
    pks = [int(pk) for pk in asked if pk.isascii() and pk.isdigit() and len(pk) <= 18]
    found = list(with_answers(Case.objects.visible_to(request.user).filter(pk__in=pks)))
    if request.method == "POST" and "really" in request.POST:
        number = delete_cases(found)
        messages.success(request, "The case was deleted." if number == 1 else f"{number} cases were deleted.")
        return redirect("cases")
    return render(request, "classifier/delete.html", {"cases": found}, status=200 if found else 404)


def _state(case: Case) -> str:
    return case_state(row.state for image in case.images.all() for row in image.predictions.all())


def _chips(request: HttpRequest, narrowed: CaseFilter) -> list[dict[str, str]]:
    """The filters that are on, in words, each with the address without it."""
    chips = []
    for name, value in narrowed.form.cleaned_data.items():
        if value and name != "sort":
            field = narrowed.form.fields[name]
            words = dict(getattr(field, "choices", [])).get(value, value) if name != "model" else value
            rest = request.GET.copy()
            rest.pop(name, None)
            rest.pop("cursor", None)
            chips.append({"label": str(field.label), "value": str(words), "without": f"?{rest.urlencode()}"})
    return chips
