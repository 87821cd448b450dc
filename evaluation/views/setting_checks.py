"""Setting checks: start, read, fill in. To people who are no administrators they do not exist."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from classifier.models import ModelRecord
from evaluation.forms.setting_check import SettingCheckForm
from evaluation.models import SettingCheck
from evaluation.services.setting_checks.page import SettingPage
from evaluation.services.setting_checks.start import fill_manifest, start_setting_check
from skinsite.accounts.administrators import by_administrator
from skinsite.jobs import pages
from skinsite.refusal import Conflict, Refusal, submitted


def new(request: HttpRequest, pk: int) -> HttpResponse:
    """Choose the labelled pictures for one model."""
    if not by_administrator(request):
        raise Http404
    model = get_object_or_404(ModelRecord.objects.visible_to(request.user), pk=pk)
    form = SettingCheckForm(request.POST or None, user=request.user, initial={"dataset": request.GET.get("dataset")})
    made = submitted(
        form, lambda chosen: start_setting_check(owner=request.user, data_set=chosen["dataset"], model=model)
    )
    if made:
        return redirect(made)
    status = 422 if request.method == "POST" else 200
    return render(request, "evaluation/new_setting_check.html", {"form": form, "model": model}, status=status)


def setting_check(request: HttpRequest, pk: int) -> HttpResponse:
    found: SettingCheck = pages.visible(request, pk, SettingCheck)
    page = SettingPage(found) if found.document else None
    return render(request, "evaluation/setting_check.html", {"check": found, "page": page, "own": True})


@require_POST
def fill(request: HttpRequest, pk: int) -> HttpResponse:
    """Register a new version with what is confirmed, and show it."""
    found: SettingCheck = pages.visible(request, pk, SettingCheck)
    try:
        record = fill_manifest(check=found, user=request.user)
    except (Conflict, Refusal) as reason:
        messages.error(request, str(reason))
        return redirect(found)
    messages.success(request, f"{record} is being checked: the same file with the confirmed settings.")
    return redirect(record)
