"""Data sets: upload, read, map, publish."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from evaluation.forms.data_set import ArchiveForm, DataSetForm, MappingForm
from evaluation.models import DataSet, Evaluation, LabelledImage, MapCheck
from evaluation.services.data_sets.create import create_data_set, remap_data_set
from evaluation.services.data_sets.isic_archive import create_from_archive
from evaluation.services.evaluations.sentences import class_rows, subgroup_rows
from skinsite import media
from skinsite.accounts.administrators import require_administrator
from skinsite.jobs import pages
from skinsite.refusal import Conflict, submitted
from skinsite.spreadsheet import lines

RENDITIONS = {"pixels.png": ("pixels", "image/png"), "thumbnail.webp": ("thumbnail", "image/webp")}
WALL = 60
SHOWN = 12


def new(request: HttpRequest) -> HttpResponse:
    form = DataSetForm(request.POST or None, request.FILES or None)
    made = submitted(
        form,
        lambda chosen: create_data_set(
            owner=request.user, name=chosen["name"], archive=chosen["archive"], table=chosen["labels"]
        ),
    )
    if made:
        return redirect(made)
    status = 422 if request.method == "POST" else 200
    return render(request, "evaluation/new_data_set.html", {"form": form}, status=status)


def from_archive(request: HttpRequest) -> HttpResponse:
    """An administrator has the server fetch pictures from the public ISIC Archive."""
    owner = require_administrator(request)
    form = ArchiveForm(request.POST or None)
    if made := submitted(form, lambda chosen: create_from_archive(owner=owner, **chosen)):
        return redirect(made)
    status = 422 if request.method == "POST" else 200
    context = {"form": form, "address": settings.SKINSITE_ISIC_API}
    return render(request, "evaluation/from_archive.html", context, status=status)


def data_set(request: HttpRequest, pk: int) -> HttpResponse:
    found: DataSet = pages.visible(request, pk, DataSet)
    evaluations = Evaluation.objects.visible_to(request.user).filter(data_set=found).select_related("model")
    map_checks = MapCheck.objects.visible_to(request.user).filter(data_set=found).select_related("model")
    context = {
        "data_set": found,
        "own": found.owner_id == request.user.pk,
        "refreshes": not found.is_final,
        "classes": class_rows(found),
        "subgroups": subgroup_rows(found),
        "walls": [
            {"code": row["code"], "name": row["name"], "images": found.images.filter(label=row["code"])[:SHOWN]}
            for row in class_rows(found)[:12]
        ],
        "evaluations": evaluations.defer("document")[:20],
        "map_checks": map_checks.defer("document")[:20],
        "form": _mapping_form(found) if found.owner_id == request.user.pk else None,
    }
    return render(request, "evaluation/data_set.html", context)


def mapping(request: HttpRequest, pk: int) -> HttpResponse:
    """Correct the columns and labels of one's own data set."""
    found: DataSet = pages.changeable(request, pk, DataSet)
    form = MappingForm(request.POST or None, data_set=found)
    if request.method == "POST" and form.is_valid():
        try:
            remap_data_set(data_set=found, mapping=form.mapping)
        except Conflict as conflict:
            messages.error(request, str(conflict))
        return redirect(found)
    status = 422 if request.method == "POST" else 200
    return render(request, "evaluation/mapping.html", {"data_set": found, "form": form}, status=status)


def images(request: HttpRequest, pk: int) -> HttpResponse:
    """The pictures of a data set, of one class if `label` says so."""
    found: DataSet = pages.visible(request, pk, DataSet)
    rows = found.images.all()
    if label := request.GET.get("label", ""):
        rows = rows.filter(label=label)
    page = Paginator(rows, WALL).get_page(request.GET.get("page"))
    context = {"data_set": found, "page": page, "label": label, "label_name": found.label_name(label) if label else ""}
    return render(request, "evaluation/data_set_images.html", context)


def refused_csv(request: HttpRequest, pk: int) -> HttpResponseBase:
    found: DataSet = pages.visible(request, pk, DataSet)
    rows = [("row", "file", "reason"), *((e["row"], e["file"], e["reason"]) for e in found.refused)]
    return media.serve(lines(rows), content_type="text/csv; charset=utf-8", download_as=f"refused-{found.pk}.csv")


def picture(request: HttpRequest, pk: int, rendition: str) -> HttpResponseBase:
    if rendition not in RENDITIONS:
        raise Http404
    visible = DataSet.objects.visible_to(request.user)
    image = get_object_or_404(LabelledImage, pk=pk, data_set__in=visible)
    field, content_type = RENDITIONS[rendition]
    try:
        with getattr(image, field).open("rb") as file:
            content = file.read()
    except FileNotFoundError as error:
        raise Http404 from error
    return media.serve(content, content_type=content_type, immutable=True)


@require_POST
def publish(request: HttpRequest, pk: int) -> HttpResponse:
    """An administrator shows a data set and its owner's evaluations to all, or takes it back."""
    require_administrator(request)
    found = get_object_or_404(DataSet, pk=pk)
    DataSet.objects.filter(pk=pk).update(published=not found.published)
    messages.success(request, "Everybody can read it now." if not found.published else "Only its owner reads it now.")
    return redirect(found) if found.owner_id == request.user.pk or not found.published else redirect("datasets")


def _mapping_form(found: DataSet) -> Any:
    return MappingForm(data_set=found) if found.columns and found.error_code == "needs-mapping" else None
