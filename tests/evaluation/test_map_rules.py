"""What a map check says where few maps can be used."""

from typing import Any

import numpy as np
import pytest
from django.http import HttpRequest
from django.utils import timezone

from classifier.inference.explain.explain import METHODS
from evaluation.documents.map_check import MapResult, Randomised
from evaluation.metrics.maps.rules import FEWEST_IMAGES, SEEDS
from evaluation.models import LabelledImage, MapCheck
from evaluation.services.map_checks import document as map_check_document
from evaluation.services.map_checks.document import DRAWN, MAP, Drawn, randomised
from evaluation.services.map_checks.facts import LESION, facts_of_maps
from evaluation.services.map_checks.sentences import randomisation, where_the_heat_lies
from skinsite.jobs import State
from tests.factories.rows import make_model, make_user


def judged(likeness: Any, *, broken: int = 0) -> Randomised:
    """What is found with all weights randomised, for likeness (pictures, seeds); NaN where a map cannot be used."""
    values = np.array(likeness, np.float64)
    images = [LabelledImage(pk=number, name=f"picture_{number}") for number in range(len(values))]
    rng = np.random.default_rng(1)
    kept = {MAP: {image.pk: {"grid": rng.normal(size=(4, 4)).tolist()} for image in images}}
    for seed in range(values.shape[1]):
        kept[randomised(1.0, seed)] = {
            image.pk: {"likeness": None if np.isnan(value) else float(value)}
            for image, value in zip(images, values[:, seed], strict=True)
        }
    for image in images[-broken:] if broken else []:
        kept[randomised(1.0, 0)][image.pk] = {"likeness": None, "not_finite": True}
    return map_check_document._randomised(Drawn(images, frozenset(), 0, changed=()), kept)


def without_masks(**fields: Any) -> MapResult:
    """What a check of 60 pictures found that measured nothing but the randomised networks."""
    counts = {"images": 60, "lesions": 60, "constant": 0, "not_finite": 0, "with_masks": 0, "masks_used": 0}
    parts = {"seen": DRAWN, "inside": None, "changes": None, "randomised": judged(few(60, SEEDS)), "sentences": []}
    named = {"method": "grad-cam", "layer": "last", "seed": 1, "at_admission": False}
    return MapResult(**counts | parts | named | fields)


def few(pictures: int, seeds: int) -> Any:
    """Maps of so many pictures and seeds, of 60 and 5, can be used."""
    values = np.full((60, SEEDS), np.nan)
    values[:pictures, :seeds] = 0.05
    return values


@pytest.mark.parametrize(
    ("pictures", "seeds"), [(2, 2), (FEWEST_IMAGES - 1, SEEDS), (FEWEST_IMAGES, SEEDS - 1), (0, 0)]
)
def test_randomisation_is_not_judged_on_few_maps(pictures, seeds):
    found = judged(few(pictures, seeds))
    assert found.passes is None
    said = randomisation(found)
    few_of = f"maps of {pictures} images and {seeds} seeds can be compared"
    assert (few_of if pictures else "no map can be compared") in said
    assert said.endswith("that needs 50 images and 5 seeds.") is bool(pictures)


def test_it_is_judged_on_enough():
    assert judged(few(FEWEST_IMAGES, SEEDS)).passes is True
    assert judged(few(FEWEST_IMAGES, SEEDS) + 0.5).passes is False


def test_maps_that_hold_no_numbers_are_not_counted_as_constant():
    (share,) = judged(few(57, SEEDS), broken=2).shares
    assert (share.maps, share.constant, share.not_finite) == (60 * SEEDS, 3 * SEEDS - 2, 2)


@pytest.mark.parametrize(
    ("at_admission", "with_masks", "used", "said"),
    [
        (True, 60, 49, "Of the 60 drawn pictures 49 have a mask that can be used"),
        (False, 70, 20, "Of the 60 images taken from those with a mask 20 have a mask that can be used"),
        (False, 49, 0, "In this data set only 49 images have a mask"),
        (False, 0, 0, "In this data set no image has a mask"),
    ],
)
def test_too_few_masks_are_named_and_counted(at_admission, with_masks, used, said):
    (text,) = where_the_heat_lies(without_masks(at_admission=at_admission, with_masks=with_masks, masks_used=used))
    assert text.startswith(said)
    assert text.endswith(": where the heat lies is not measured; that needs 50.")


def test_what_an_older_portal_stored_is_read():
    """It had no check at admission, and counted neither broken maps nor usable masks."""
    stored = without_masks().to_json() | {"schema": 1}
    for name in ("version", "at_admission", "not_finite", "masks_used"):
        del stored[name]
    for share in stored["randomised"]["shares"]:
        share["likeness"].pop("note")
        for name in ("not_finite", "images", "seeds"):
            del share[name]
    found = MapResult.model_validate(stored)
    assert (found.version, found.at_admission, found.not_finite, found.masks_used) == (1, False, 0, None)
    assert (found.randomised.shares[-1].images, found.randomised.shares[-1].likeness.note) == (None, "")


def test_the_fact_beside_a_map_names_the_drawn_pictures(db):
    """It says what the page says, and no data set where there is none."""
    said = ["Of the 60 drawn pictures 49 have a mask that can be used.", "More."]
    model, alice = make_model(layer="last"), make_user("alice")
    document = without_masks(at_admission=True, sentences=said).to_json()
    MapCheck.objects.create(model=model, state=State.DONE, finished_at=timezone.now(), document=document)
    told = facts_of_maps(HttpRequest(), model=model, method=METHODS["grad-cam"], person=alice)
    assert [fact.detail for fact in told if fact.check == LESION] == said[:1]
