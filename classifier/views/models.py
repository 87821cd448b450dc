"""The registered models."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from classifier.models import ModelRecord


def models(request: HttpRequest) -> HttpResponse:
    return render(request, "classifier/models.html", {"models": ModelRecord.objects.visible_to(request.user)})


def model(request: HttpRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(ModelRecord.objects.visible_to(request.user), pk=pk)
    versions = ModelRecord.objects.visible_to(request.user).filter(name=found.name).order_by("-pk")
    return render(request, "classifier/model.html", {"model": found, "versions": versions})
