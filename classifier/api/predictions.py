"""Predictions: try again, cancel, explain; and the pictures of both."""

from typing import Any
from urllib.parse import urlencode

import numpy as np
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from ninja import Router, Status

from classifier.api.schemas import Explanation, ExplanationState, Prediction
from classifier.inference.explain.explain import METHODS
from classifier.inference.maps.render import negative, positive
from classifier.models import CaseImage, ExplanationJob
from classifier.models import Prediction as PredictionRow
from classifier.services.maps.checks import facts_of
from classifier.services.maps.explain import ask, no_map
from classifier.services.maps.view import Grid, Maps, Scale, Side, View, heat_png
from classifier.services.predictions.documents import Document, prediction_document
from classifier.services.predictions.predict import GRAD_CAM
from classifier.services.predictions.waiting import positions_in
from skinsite.api.access import Bearer, Session, person_of
from skinsite.api.parsing import row_id
from skinsite.api.problems import problems
from skinsite.jobs import State, actions
from skinsite.media import serve
from skinsite.refusal import Problem, Refusal

router = Router(tags=["predictions"])
pictures = Router(tags=["pictures"])
DIGITS = 8
PICTURE = {200: bytes} | problems(401, 404, 422, 429)
READS_PICTURES = [Bearer(), Session()]


@router.post("/{id}/retry", response={202: Prediction} | problems(401, 404, 409, 422, 429), summary="Try again")
def retry(request: HttpRequest, id: str) -> Any:
    """Only a failed or cancelled one."""
    prediction = _visible(request, id)
    actions.retry(prediction)
    return Status(202, _document(prediction))


@router.post("/{id}/cancel", response={202: Prediction} | problems(401, 404, 409, 422, 429), summary="Cancel")
def cancel(request: HttpRequest, id: str) -> Any:
    """Only a queued or running one."""
    prediction = _visible(request, id)
    actions.cancel(prediction)
    return Status(202, _document(prediction))


@router.get(
    "/{id}/explanations",
    auth=READS_PICTURES,
    response={200: Explanation, 202: ExplanationState} | problems(401, 404, 409, 422, 429),
    url_name="explanations",
    summary="Heat maps of all classes",
)
def explanations(
    request: HttpRequest, response: HttpResponse, id: str, method: str = GRAD_CAM, against: str = ""
) -> Any:
    """One map for each class, at the layer's own resolution, not rescaled.

    `grad-cam` is stored with the prediction. Another method is made when it is first asked for: 202, then ask again.
    `against`, a class code, takes that class's map away from the others', where the method is linear.
    """
    return _explained(request, response, id, method, against=against)


@router.post(
    "/{id}/explanations",
    response={200: Explanation, 202: ExplanationState} | problems(401, 404, 409, 422, 429),
    summary="Ask for heat maps again",
)
def explain_again(request: HttpRequest, response: HttpResponse, id: str, method: str = GRAD_CAM) -> Any:
    """As reading them, but a failed one is tried once more."""
    return _explained(request, response, id, method, again=True)


def _explained(
    request: HttpRequest, response: HttpResponse, id: str, method: str, *, against: str = "", again: bool = False
) -> Any:
    prediction = _visible(request, id)
    found = ask(prediction=prediction, method=method, again=again)
    if isinstance(found, ExplanationJob):
        if found.state in (State.FAILED, State.CANCELLED):
            raise Refusal(Problem("method", f"{found.error_code}: {found.error_message} {found.error_hint}".strip()))
        address = reverse("api:explanations", args=[prediction.pk])
        response["Location"] = f"{address}?{urlencode({'method': found.method})}"
        return Status(202, {"method": found.method, "state": found.state, "error": None})
    if found.error:
        raise Refusal(Problem("method", no_map(found.error)))
    shown = Maps(found, against)
    maps = {code: shown.map(code) for code in shown.codes}
    facts = facts_of(
        request, prediction=prediction, maps=shown, method=METHODS[found.method], person=person_of(request)
    )
    return Status(
        200,
        {
            "method": found.method,
            "target": prediction.top_code,
            "against": against or None,
            "layer": found.layer,
            "rows": found.rows,
            "columns": found.columns,
            "region": found.region,
            "maps": {code: _numbers(positive(values)) for code, values in maps.items()},
            "lowers": {code: _numbers(negative(values)) for code, values in maps.items()},
            "checks": [vars(fact) for fact in facts],
        },
    )


@pictures.get(
    "/predictions/{id}/heat.png", auth=READS_PICTURES, response=PICTURE, url_name="heat", summary="A heat map as PNG"
)
def heat(
    request: HttpRequest,
    id: str,
    method: str = GRAD_CAM,
    against: str = "",
    side: Side = "raises",
    scale: Scale = "relative",
    grid: Grid = "smooth",
) -> HttpResponseBase:
    """A layer for the whole upright picture; `class` is a code, the class that won if it is left out.

    `against`, a class code too, takes that class's map away, where the method is linear. `side` is what raises the
    score or what lowers it, `grid` the layer's own cells or smooth. 404 while the method's maps have not been made.
    """
    prediction = _visible(request, id)
    content = heat_png(prediction, View.read(request.GET.dict()))
    if content is None:
        raise Http404
    return serve(content, content_type="image/png", immutable=True)


@pictures.get(
    "/images/{id}/pixels.png", auth=READS_PICTURES, response=PICTURE, url_name="pixels", summary="A picture as PNG"
)
def pixels(request: HttpRequest, id: str) -> HttpResponseBase:
    """The decoded pixels, lossless, without metadata."""
    image = get_object_or_404(CaseImage, pk=row_id(id), case__owner=person_of(request))
    try:
        with image.pixels.open("rb") as file:
            content = file.read()
    except (FileNotFoundError, ValueError) as error:
        raise Http404 from error
    return serve(content, content_type="image/png", immutable=True)


def _visible(request: HttpRequest, id: str) -> PredictionRow:
    rows = PredictionRow.objects.visible_to(person_of(request)).select_related("model", "image")
    prediction: PredictionRow = get_object_or_404(rows, pk=row_id(id))
    return prediction


def _document(prediction: PredictionRow) -> Document:
    fresh = PredictionRow.objects.select_related("model").get(pk=prediction.pk)
    return prediction_document(fresh, positions_in([fresh]))


def _numbers(values: Any) -> list[list[float]]:
    """A map as numbers that JSON keeps; float32 has no more digits than these."""
    return [[float(f"{value:.{DIGITS}g}") for value in row] for row in np.asarray(values)]
