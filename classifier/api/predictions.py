"""Predictions: try again, cancel, explain; and the pictures of both."""

from typing import Any, Literal

import numpy as np
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from ninja import Router, Status

from classifier.api.schemas import Explanation, Prediction
from classifier.inference.heat import negative, positive
from classifier.models import CaseImage
from classifier.models import Prediction as PredictionRow
from classifier.services.documents import Document, prediction_document
from classifier.services.heat import GRAD_CAM, explanation_of, heat_png
from classifier.services.predictions import cancel_prediction, retry_prediction
from classifier.services.waiting import positions_in
from skinsite.api.access import Bearer, Session
from skinsite.api.parsing import row_id
from skinsite.api.problems import problems
from skinsite.jobs import State
from skinsite.media import serve
from skinsite.refusal import Conflict, Problem, Refusal

router = Router(tags=["predictions"])
pictures = Router(tags=["pictures"])
METHODS = (GRAD_CAM,)
DIGITS = 8
PICTURE = {200: bytes} | problems(401, 404, 422, 429)
READS_PICTURES = [Bearer(), Session()]


@router.post("/{id}/retry", response={202: Prediction} | problems(401, 404, 409, 422, 429), summary="Try again")
def retry(request: HttpRequest, id: str) -> Any:
    """Only a failed or cancelled one."""
    prediction = _visible(request, id)
    retry_prediction(prediction=prediction)
    return Status(202, _document(prediction))


@router.post("/{id}/cancel", response={202: Prediction} | problems(401, 404, 409, 422, 429), summary="Cancel")
def cancel(request: HttpRequest, id: str) -> Any:
    """Only a queued or running one."""
    prediction = _visible(request, id)
    cancel_prediction(prediction=prediction)
    return Status(202, _document(prediction))


@router.get(
    "/{id}/explanations",
    response={200: Explanation} | problems(401, 404, 409, 422, 429),
    summary="Heat maps of all classes",
)
def explanations(request: HttpRequest, id: str, method: str = GRAD_CAM) -> Any:
    """One map for each class, at the layer's own resolution, not rescaled."""
    prediction = _visible(request, id)
    if method not in METHODS:
        raise Refusal(Problem("method", f"The method {method[:40]!r} is not known. Known are: {', '.join(METHODS)}."))
    if prediction.state != State.DONE:
        raise Conflict(f"This prediction is {prediction.state}: it has maps once it is done.")
    explanation = explanation_of(prediction)
    if explanation is None:
        raise Refusal(Problem("method", "no-spatial-layer: this model has no layer that keeps the picture's geometry."))
    maps = explanation.signed_maps()
    return {
        "method": explanation.method,
        "target": prediction.top_code,
        "layer": explanation.layer,
        "rows": explanation.rows,
        "columns": explanation.columns,
        "region": explanation.region,
        "maps": {code: _numbers(positive(values)) for code, values in maps.items()},
        "lowers": {code: _numbers(negative(values)) for code, values in maps.items()},
        "checks": [],
    }


@pictures.get(
    "/predictions/{id}/heat.png", auth=READS_PICTURES, response=PICTURE, url_name="heat", summary="A heat map as PNG"
)
def heat(request: HttpRequest, id: str, scale: Literal["relative", "absolute"] = "relative") -> HttpResponseBase:
    """A layer for the whole upright picture; `class` is a code, the class that won if it is left out."""
    prediction = _visible(request, id)
    content = heat_png(prediction, request.GET.get("class", prediction.top_code), scale)
    if content is None:
        raise Http404
    return serve(content, content_type="image/png", immutable=True)


@pictures.get(
    "/images/{id}/pixels.png", auth=READS_PICTURES, response=PICTURE, url_name="pixels", summary="A picture as PNG"
)
def pixels(request: HttpRequest, id: str) -> HttpResponseBase:
    """The decoded pixels, lossless, without metadata."""
    image = get_object_or_404(CaseImage, pk=row_id(id), case__owner=request.auth)  # type: ignore[attr-defined]
    try:
        with image.pixels.open("rb") as file:
            content = file.read()
    except (FileNotFoundError, ValueError) as error:
        raise Http404 from error
    return serve(content, content_type="image/png", immutable=True)


def _visible(request: HttpRequest, id: str) -> PredictionRow:
    rows = PredictionRow.objects.visible_to(request.auth).select_related("model", "image")  # type: ignore[attr-defined]
    prediction: PredictionRow = get_object_or_404(rows, pk=row_id(id))
    return prediction


def _document(prediction: PredictionRow) -> Document:
    fresh = PredictionRow.objects.select_related("model").get(pk=prediction.pk)
    return prediction_document(fresh, positions_in([fresh]))


def _numbers(values: Any) -> list[list[float]]:
    """A map as numbers that JSON keeps; float32 has no more digits than these."""
    return [[float(f"{value:.{DIGITS}g}") for value in row] for row in np.asarray(values)]
