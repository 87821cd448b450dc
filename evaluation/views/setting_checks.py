"""Setting checks: start, follow, read, fill in. To people who are no administrators they do not exist."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST
from django_htmx.http import HttpResponseClientRefresh

from classifier.models import ModelRecord
from evaluation.forms.setting_check import SettingCheckForm
from evaluation.models import SettingCheck
from evaluation.services.setting_checks.page import SettingPage
from evaluation.services.setting_checks.start import (
    cancel_setting_check,
    fill_manifest,
    retry_setting_check,
    start_setting_check,
)
from skinsite.refusal import Conflict, Refusal


def new(request: HttpRequest, pk: int) -> HttpResponse:
    """Choose the labelled pictures for one model."""
    if not getattr(request.user, "is_administrator", False):
        raise Http404
    model = get_object_or_404(ModelRecord.objects.visible_to(request.user), pk=pk)
    form = SettingCheckForm(request.POST or None, user=request.user, initial={"dataset": request.GET.get("dataset")})
    status = 200
    if request.method == "POST":
        if form.is_valid():
            try:
                return redirect(
                    start_setting_check(owner=request.user, data_set=form.cleaned_data["dataset"], model=model)
                )
            except (Conflict, Refusal) as reason:
                form.add_error(None, str(reason))
        status = 422
    return render(request, "evaluation/new_setting_check.html", {"form": form, "model": model}, status=status)


def setting_check(request: HttpRequest, pk: int) -> HttpResponse:
    found = _visible(request, pk)
    page = SettingPage(found) if found.document else None
    return render(request, "evaluation/setting_check.html", {"check": found, "page": page})


def progress(request: HttpRequest, pk: int) -> HttpResponse:
    """How far it is, for the page to refresh; the whole page is asked for at the end."""
    found = _visible(request, pk)
    if found.is_final:
        return HttpResponseClientRefresh()
    return render(request, "evaluation/_setting_progress.html", {"check": found})


@require_POST
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    return _change(request, pk, cancel_setting_check)


@require_POST
def retry(request: HttpRequest, pk: int) -> HttpResponse:
    return _change(request, pk, retry_setting_check)


@require_POST
def fill(request: HttpRequest, pk: int) -> HttpResponse:
    """Register a new version with what is confirmed, and show it."""
    found = _visible(request, pk)
    try:
        record = fill_manifest(check=found, user=request.user)
    except (Conflict, Refusal) as reason:
        messages.error(request, str(reason))
        return redirect(found)
    messages.success(request, f"{record} is being checked: the same file with the confirmed settings.")
    return redirect(record)


def _change(request: HttpRequest, pk: int, change: Any) -> HttpResponse:
    found = _visible(request, pk)
    try:
        change(check=found)
    except Conflict as conflict:
        messages.error(request, str(conflict))
    return redirect(found)


def _visible(request: HttpRequest, pk: int) -> SettingCheck:
    rows = SettingCheck.objects.visible_to(request.user).select_related("model", "data_set", "owner", "filled")
    found: SettingCheck = get_object_or_404(rows, pk=pk)
    return found
