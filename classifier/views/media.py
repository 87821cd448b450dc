"""Pictures and heat maps, for their owner only."""

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404

from classifier.models import CaseImage, Prediction
from classifier.services.heat import SCALES, heat_png
from skinsite.media import serve

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
    rows = Prediction.objects.visible_to(request.user).select_related("model", "image")
    prediction = get_object_or_404(rows, pk=pk)
    scale = request.GET.get("scale", "relative")
    content = None
    if scale in SCALES:
        content = heat_png(prediction, request.GET.get("class", prediction.top_code), scale)
    if content is None:
        raise Http404
    return serve(content, content_type="image/png", immutable=True)
