"""What a map check says about the maps of a model, for whoever looks at one of them."""

from typing import Any

from django.db.models import F
from django.http import HttpRequest

from classifier.inference.explain.explain import ExplanationMethod
from classifier.models import ModelRecord
from classifier.services.maps.checks import Fact
from classifier.services.predictions.predict import GRAD_CAM
from evaluation.documents.map_check import MapResult, Randomised
from evaluation.models import MapCheck
from evaluation.services.map_checks.page import text_of
from evaluation.services.map_checks.sentences import NOTICE, finds_the_lesion, randomisation
from skinsite.jobs import State

RANDOMISATION, LESION = "randomisation", "lesion"
UNKNOWN = "Not measured yet: see the model's page."


def facts_of_maps(request: HttpRequest, *, model: ModelRecord, method: ExplanationMethod, person: Any) -> list[Fact]:
    """From the newest check that the person may see: on real pictures, else on drawn ones."""
    if method.name != GRAD_CAM:
        text = f"Measured for Grad-CAM only, not for {method.label}."
        return [Fact(name, None, text) for name in (RANDOMISATION, LESION)]
    done = MapCheck.objects.visible_to(person).filter(model=model, state=State.DONE).select_related("data_set")
    check = done.order_by(F("data_set__synthetic").asc(nulls_last=True), "-pk").first()
    if check is None:
        return [Fact(name, None, UNKNOWN) for name in (RANDOMISATION, LESION)]
    found = check.result
    return [_randomisation(check, found.randomised), _lesion(check, found)]


def _randomisation(check: MapCheck, found: Randomised) -> Fact:
    return Fact(RANDOMISATION, found.passes, f"{randomisation(found)} {_where(check, found.images)}")


def _lesion(check: MapCheck, found: MapResult) -> Fact:
    if found.inside is None:
        return Fact(LESION, None, found.sentences[0])  # where the heat lies comes first, as on the page
    better = finds_the_lesion(found)
    said = "The heat finds the lesion better than a centred blob" if better else NOTICE.rstrip(".")
    ratio = found.inside.ratio
    text = f"{said}: heat inside ÷ area {text_of(ratio.map, 2)} against {text_of(ratio.gaussian, 2)}."
    return Fact(LESION, better, f"{text} {_where(check, found.inside.images)}")


def _where(check: MapCheck, images: int) -> str:
    if check.data_set is None:
        return f"Measured at admission on {images} drawn pictures."
    return f"Measured on {images} images of {check.data_set}{', which are drawn' if check.drawn else ''}."
