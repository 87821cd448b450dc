"""What the pages of every long job have in common: their list, how far it is, cancel, retry and delete.

An app's addresses name the kind of work: `path("evaluations/<int:pk>/cancel/", pages.cancel, {"kind": Evaluation}, …)`.
"""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST
from django_htmx.http import HttpResponseClientRefresh

from skinsite.jobs import actions
from skinsite.jobs.long_job import LongJob
from skinsite.refusal import Conflict

Kind = type[LongJob]


def listed(request: HttpRequest, kind: Kind) -> HttpResponse:
    """All that the reader may see, newest first."""
    page = Paginator(kind.objects.visible_to(request.user).in_short(), kind.page_size).get_page(request.GET.get("page"))
    name = str(kind._meta.verbose_name_plural).replace(" ", "_")
    return render(request, f"{kind._meta.app_label}/{name}.html", {"page": page})


def progress(request: HttpRequest, pk: int, kind: Kind) -> HttpResponse:
    """How far it is, for the page to refresh; the whole page is asked for at the end."""
    found = visible(request, pk, kind)
    if found.is_final:
        return HttpResponseClientRefresh()
    return render(request, "jobs/_progress.html", {"job": found, "own": may_change(request, found)})


@require_POST
def cancel(request: HttpRequest, pk: int, kind: Kind) -> HttpResponse:
    return _changed(request, pk, kind, actions.cancel)


@require_POST
def retry(request: HttpRequest, pk: int, kind: Kind) -> HttpResponse:
    return _changed(request, pk, kind, actions.retry)


def delete(request: HttpRequest, pk: int, kind: Kind, delete: Callable[[Any], object] = actions.delete) -> HttpResponse:
    """Ask, then delete one's own."""
    found = changeable(request, pk, kind)
    if request.method == "POST":
        delete(found)
        messages.success(request, f"The {found.noun} was deleted.")
        return redirect(f"{kind.page}s")
    counts = {name: getattr(found, name).count() for name in kind.takes_along}
    return render(request, "jobs/delete.html", {"thing": found, "what": found.noun, "counts": counts})


def visible(request: HttpRequest, pk: int, kind: Kind) -> Any:
    return get_object_or_404(kind.objects.visible_to(request.user).select_related(*kind.related), pk=pk)


def changeable(request: HttpRequest, pk: int, kind: Kind) -> Any:
    return get_object_or_404(kind.objects.changeable_by(request.user).select_related(*kind.related), pk=pk)


def may_change(request: HttpRequest, job: LongJob) -> bool:
    return bool(type(job).objects.changeable_by(request.user).filter(pk=job.pk).exists())


def _changed(request: HttpRequest, pk: int, kind: Kind, change: Callable[[Any], None]) -> HttpResponse:
    found = changeable(request, pk, kind)
    try:
        change(found)
    except Conflict as conflict:
        messages.error(request, str(conflict))
    return redirect(found)
