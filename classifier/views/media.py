"""Pictures and heat maps, for their owner only."""

import re
from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404

from classifier.models import CaseImage, Prediction
from classifier.services.maps.export import map_png, map_table
from classifier.services.maps.view import View, heat_png
from skinsite.jobs import Failure
from skinsite.media import serve
from skinsite.refusal import Refusal
from skinsite.spreadsheet import lines

RENDITIONS = {"pixels.png": "image/png", "screen.webp": "image/webp", "thumbnail.webp": "image/webp"}


def image(request: HttpRequest, case_pk: int, pk: int, rendition: str) -> HttpResponseBase:
    found = get_object_or_404(CaseImage, pk=pk, case=case_pk, case__owner=request.user)
    if rendition not in RENDITIONS:
        raise Http404
    file = getattr(found, rendition.partition(".")[0])
    try:
        with file.open("rb") as opened:
            content = opened.read()
    except FileNotFoundError as error:
        raise Http404 from error
    return serve(content, content_type=RENDITIONS[rendition], immutable=True)


def heat(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The layer alone, for the viewer."""
    return serve(_drawn(request, pk, heat_png), content_type="image/png", immutable=True)


def map_picture(request: HttpRequest, pk: int) -> HttpResponseBase:
    content = _drawn(request, pk, map_png)
    return serve(content, content_type="image/png", download_as=_name(request, pk, "png"))


def map_numbers(request: HttpRequest, pk: int) -> HttpResponseBase:
    content = lines(_drawn(request, pk, map_table))
    return serve(content, content_type="text/csv; charset=utf-8", download_as=_name(request, pk, "csv"))


def _name(request: HttpRequest, pk: int, ending: str) -> str:
    """Name a file after what it shows; `_drawn` has refused all that is no method or class."""
    shown = (request.GET.get(name, "") for name in ("method", "class", "against", "side", "scale"))
    return "-".join(("map", str(pk), *(re.sub(r"[^\w+]", "-", word)[:40] for word in shown if word))) + f".{ending}"


def _drawn(request: HttpRequest, pk: int, draw: Callable[[Prediction, View], Any]) -> Any:
    """Return what `draw` makes of the prediction and the view of the address; a map that is none is a 404."""
    rows = Prediction.objects.visible_to(request.user).select_related("model", "image")
    prediction = get_object_or_404(rows, pk=pk)
    try:
        content = draw(prediction, View.read(request.GET))
    except (Refusal, Failure) as error:
        raise Http404 from error
    if content is None:
        raise Http404
    return content
