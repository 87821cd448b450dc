"""Map checks as a worker, a person and a program see them: small networks that answer, spots with exact masks."""

import io
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from evaluation.metrics.maps import credibility
from evaluation.metrics.maps.rules import Against, Better
from evaluation.metrics.number import Number
from evaluation.models import DataSet, LabelledImage, MapCheck, MapFigure
from evaluation.services.map_checks import document, measure
from evaluation.services.map_checks.document import drawn_of, in_order
from evaluation.services.map_checks.measure import run_map_check
from evaluation.services.map_checks.page import latest, of_comparison
from evaluation.services.map_checks.sentences import NOTICE, verdict
from evaluation.services.map_checks.start import start_map_check
from skinsite.jobs import LEASE, State, actions, turns
from skinsite.refusal import Conflict, Refusal
from tests.factories.rows import make_model, make_prediction, make_user
from tests.factories.spot_networks import make_small_model
from tests.people import Person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quiet")]
IMAGES, RANDOMISED = 52, 8


@dataclass
class Spot:
    name: str
    code: str
    lesion: str
    pixels: np.ndarray
    mask: np.ndarray


@pytest.fixture(scope="module")
def spots() -> list[Spot]:
    """Dark discs anywhere on light noise: 48 × 64 px, several views of each of 12 lesions."""
    rng = np.random.default_rng(3)
    row, column = np.mgrid[:48, :64]
    spots = []
    for number in range(IMAGES):
        mask = (row - rng.uniform(10, 38)) ** 2 + (column - rng.uniform(10, 54)) ** 2 < rng.uniform(7, 10) ** 2
        grey = np.where(mask, 40, 200)[..., None] + rng.normal(0, 12, (48, 64, 3))
        pixels = grey.clip(0, 255).astype(np.uint8)
        spots.append(Spot(f"spot_{number:03}", "nv", f"lesion_{number % 12}", pixels, mask))
    return spots


@pytest.fixture(autouse=True)
def fewer(monkeypatch) -> None:
    """Few seeds and pictures do where no test looks at the figures' precision."""
    monkeypatch.setattr(measure, "SEEDS", 2)
    monkeypatch.setattr(document, "MOST_RANDOMISED", RANDOMISED)
    monkeypatch.setattr(credibility, "RANDOM_MAPS", 2)
    monkeypatch.setattr(document, "MOST_CHANGED", 4)


def stored(pixels: Any) -> str:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return default_storage.save("datasets/spot.png", ContentFile(file.getvalue()))


def spot_set(spots: list[Spot], owner: Any, *, masks: int = IMAGES, name: str = "Spots") -> DataSet:
    data_set = DataSet.objects.create(owner=owner, name=name, state=State.DONE, finished_at=timezone.now())
    LabelledImage.objects.bulk_create(
        LabelledImage(
            data_set=data_set,
            name=spot.name,
            label=spot.code,
            lesion=spot.lesion,
            pixels=stored(spot.pixels),
            mask=stored(spot.mask) if place < masks else "",
            sha256=f"{place:064}",
            width=64,
            height=48,
        )
        for place, spot in enumerate(spots)
    )
    return data_set


@pytest.fixture
def alice(db) -> Any:
    return make_user("alice")


@pytest.fixture
def check(alice, spots) -> MapCheck:
    return start_map_check(owner=alice, data_set=spot_set(spots, alice), model=make_small_model(), seed=1)


def ran(check: MapCheck, **options: Any) -> MapCheck:
    run_map_check(check_id=check.pk, **options)
    return MapCheck.objects.select_related("model", "data_set").get(pk=check.pk)


def test_a_network_that_sees_the_lesion_is_told_from_one_that_does_not(alice, spots):
    data_set = spot_set(spots, alice)
    seeing = ran(start_map_check(owner=alice, data_set=data_set, model=make_small_model("Seeing"), seed=1))
    blind_model = make_small_model("Blind", sees_darkness=False)
    blind = ran(start_map_check(owner=alice, data_set=data_set, model=blind_model, seed=1))
    assert (seeing.state, blind.state) == (State.DONE, State.DONE), seeing.error or blind.error
    good, bad = seeing.document["inside"], blind.document["inside"]
    assert good["ratio"]["map"]["value"] > 1.5 > bad["ratio"]["map"]["value"]
    assert good["pointing"]["map"]["value"] > 0.9
    assert good["ratio"]["better"]["gaussian"]
    assert not bad["ratio"]["better"]["gaussian"]
    assert NOTICE in blind.document["sentences"]
    assert NOTICE not in seeing.document["sentences"]
    assert (good["images"], good["lesions"]) == (IMAGES, 12)
    changes = seeing.document["changes"]
    assert changes["deletion"]["map"]["value"] < changes["deletion"]["random"]["value"]
    assert changes["stability"]["value"] > 0.8
    assert [row["share"] for row in seeing.document["randomised"]["shares"]] == [0.25, 0.5, 0.75, 1.0]
    assert seeing.done == seeing.total == IMAGES + 4 * 2 * RANDOMISED + 4
    json.dumps(seeing.document, allow_nan=False)


def test_a_person_comes_first_and_no_figure_is_measured_twice(check, monkeypatch):
    """Turns that end for themselves, and for a person, lead to the document of one turn."""
    monkeypatch.setattr(turns, "LONGEST_SLICE_SECONDS", 0.3)
    person = make_prediction(model=check.model)
    assert ran(check).state == State.QUEUED
    assert MapFigure.objects.count() == 0
    person.delete()
    taken = 0
    while (row := ran(check)).state == State.QUEUED:
        taken += 1
        assert row.shown_state == State.RUNNING
        assert row.done == MapFigure.objects.filter(check_of=check).count()
        assert taken < 200
    assert taken > 1
    assert row.state == State.DONE, row.error
    again = MapCheck.objects.create(owner=check.owner, data_set=check.data_set, model=check.model, seed=check.seed)
    assert ran(again, alone=True).document == row.document


def test_a_person_who_comes_while_networks_are_randomised_ends_the_turn(check, monkeypatch):
    loads = []
    real = measure.randomise.randomised

    def somebody_comes(*told: Any) -> Any:
        loads.append(told)
        if len(loads) == 2:
            make_prediction(model=check.model)
        return real(*told)

    monkeypatch.setattr(measure.randomise, "randomised", somebody_comes)
    assert ran(check).state == State.QUEUED
    assert len(loads) == 2


def test_a_check_that_makes_progress_outlives_lost_workers(check, monkeypatch):
    real = measure.MapMeasuring._keep
    for dies_at in (2, 4):
        kept = []

        def keep(turn: Any, part: str, values: Any, kept: list = kept, dies_at: int = dies_at) -> None:
            real(turn, part, values)
            kept.append(part)
            if len(kept) == dies_at:
                raise KeyboardInterrupt

        monkeypatch.setattr(measure.MapMeasuring, "_keep", keep)
        with pytest.raises(KeyboardInterrupt):
            run_map_check(check_id=check.pk)
        MapCheck.objects.filter(pk=check.pk).update(lease_until=timezone.now() - LEASE)
        assert MapCheck.objects.recover() == 1
    monkeypatch.setattr(measure.MapMeasuring, "_keep", real)
    assert ran(check).state == State.DONE


def test_a_cancelled_check_stops_and_goes_on_when_it_is_tried_again(check, monkeypatch):
    real = measure.MapMeasuring._keep

    def cancels(turn: Any, part: str, values: Any) -> None:
        real(turn, part, values)
        actions.cancel(check)

    monkeypatch.setattr(measure.MapMeasuring, "_keep", cancels)
    row = ran(check)
    assert (row.state, row.done) == (State.CANCELLED, 15)
    with pytest.raises(Conflict):
        actions.cancel(row)
    monkeypatch.setattr(measure.MapMeasuring, "_keep", real)
    actions.retry(row)
    assert ran(check).state == State.DONE


def test_too_few_masks_leave_the_rest_of_the_check(alice, spots):
    data_set = spot_set(spots, alice, masks=49)
    done = ran(start_map_check(owner=alice, data_set=data_set, model=make_small_model(), seed=1))
    assert done.state == State.DONE, done.error
    assert done.document["inside"] is None
    assert "only 49 images have a mask" in done.document["sentences"][0]
    assert done.document["randomised"]["images"] == RANDOMISED
    assert done.document["changes"]["images"] + done.document["changes"]["constant"] == 4


def test_masks_of_nearly_everything_are_left_out_and_counted(check):
    image = check.data_set.images.first()
    image.mask = stored(np.ones((48, 64), bool))
    image.save()
    found = ran(check).document["inside"]
    assert (found["images"], found["left_out"]) == (IMAGES - 1, 1)


def test_what_cannot_be_checked_is_refused(alice, spots, check):
    with pytest.raises(Conflict, match="already"):
        start_map_check(owner=alice, data_set=check.data_set, model=check.model)
    with pytest.raises(Refusal, match="draws no maps"):
        start_map_check(owner=alice, data_set=check.data_set, model=make_model("Flat", layer=""))
    with pytest.raises(Refusal, match="has 20 images: a check of maps needs at least 50"):
        start_map_check(owner=alice, data_set=spot_set(spots[:20], alice), model=check.model)
    with pytest.raises(Refusal, match="import is done"):
        start_map_check(owner=alice, data_set=DataSet.objects.create(owner=alice, name="new"), model=check.model)


def test_a_picture_that_is_gone_is_named(check):
    image = check.data_set.images.order_by("pk").last()
    default_storage.delete(image.pixels.name)
    failed = ran(check)
    assert (failed.state, failed.error_code) == (State.FAILED, "image-missing")
    assert image.name in failed.error_message


def test_every_lesion_has_its_first_picture_before_any_has_its_second(check):
    images = list(check.data_set.images.all())
    ordered = in_order(images, seed=5)
    assert len({image.lesion for image in ordered[:12]}) == 12
    assert {image.pk for image in ordered} == {image.pk for image in images}
    assert in_order(images, seed=5) == ordered != in_order(images, seed=6)
    assert len(drawn_of(check).randomised) == RANDOMISED


def test_the_command_prints_the_table(alice, spots, capsys):
    model, data_set = make_small_model(), spot_set(spots, alice)
    call_command("check_maps", str(model.pk), str(data_set.pk), "--seed", "1")
    printed = capsys.readouterr().out
    for text in ("Heat inside ÷ area of the lesion", "ROAD", "100% of layers randomised", "map check"):
        assert text in printed
    with pytest.raises(CommandError, match="no such model"):
        call_command("check_maps", "999", str(data_set.pk))


def test_a_person_starts_follows_and_reads(alice, spots):
    model, data_set, client = make_small_model(), spot_set(spots, alice), Client()
    client.force_login(alice)
    assert "Not measured yet" in client.get(model.get_absolute_url()).content.decode()
    assert "Check heat maps" in client.get(data_set.get_absolute_url()).content.decode()
    address = reverse("new_map_check")
    assert client.get(f"{address}?model={model.pk}&dataset={data_set.pk}").status_code == 200
    flat = make_model("Flat", layer="")
    refused = client.post(address, {"model": flat.pk, "dataset": data_set.pk})
    assert (refused.status_code, "draws no maps" in refused.content.decode()) == (422, True)
    page = client.post(address, {"model": model.pk, "dataset": data_set.pk})["Location"]
    assert "Waiting for a worker" in client.get(page).content.decode()
    assert client.get(f"{page}progress/").status_code == 200
    again = client.post(address, {"model": model.pk, "dataset": data_set.pk})
    assert (again.status_code, "already" in again.content.decode()) == (422, True)
    assert ran(MapCheck.objects.get()).state == State.DONE
    assert client.get(f"{page}progress/")["HX-Refresh"] == "true"
    for place in (page, model.get_absolute_url()):
        shown = client.get(place).content.decode()
        for text in ("Heat inside ÷ area", "Strongest point inside", "ROAD", "of the heat lies inside the lesion"):
            assert text in shown, place
    card = client.get(reverse("model_card", args=[model.pk])).content.decode()
    assert "## Credibility of the heat maps" in card
    assert "| ROAD | " in card
    assert "| \\|Spearman\\|, 100% of layers randomised | " in card
    DataSet.objects.update(synthetic=True)
    assert "## Credibility" not in client.get(reverse("model_card", args=[model.pk])).content.decode()


def test_a_private_check_is_its_owners_and_a_published_one_everybodys(check):
    done, client, charlie = ran(check), Client(), make_user("charlie")
    client.force_login(charlie)
    assert client.get(done.get_absolute_url()).status_code == 404
    assert "Spots" not in client.get(done.model.get_absolute_url()).content.decode()
    DataSet.objects.update(published=True)
    assert client.get(done.get_absolute_url()).status_code == 200
    assert "Spots" in client.get(done.model.get_absolute_url()).content.decode()
    assert client.post(f"{done.get_absolute_url()}retry/").status_code == 404
    assert latest(charlie, done.model) == [done]
    (page,) = of_comparison(charlie, done.data_set, [done.model_id])
    assert [figure.verdict for figure in page.in_short][:2] == ["better", "better"]
    assert not of_comparison(charlie, done.data_set, [])


def test_a_program_starts_reads_cancels_and_tries_again(alice, spots):
    program, charlie = Person("alice"), Person("charlie")
    model, data_set = make_small_model(), spot_set(spots, alice)
    asked = {"model": str(model.pk), "dataset": str(data_set.pk), "seed": 1}
    assert charlie.post_json("/map-checks", asked).status_code == 404
    assert program.post_json("/map-checks", {}).status_code == 422
    answer = program.post_json("/map-checks", asked)
    assert (answer.status_code, answer.json()["state"], answer.json()["result"]) == (202, "queued", None)
    assert program.post_json("/map-checks", asked).status_code == 409
    where = answer["Location"].removeprefix("/api/v1")
    assert charlie.call("GET", where).status_code == 404
    assert charlie.call("POST", f"{where}/cancel").status_code == 404
    assert program.call("POST", f"{where}/cancel").json()["state"] == "cancelled"
    assert program.call("POST", f"{where}/retry").json()["state"] == "queued"
    ran(MapCheck.objects.get())
    found = program.call("GET", where).json()
    assert found["state"] == "done"
    assert found["result"]["inside"]["ratio"]["better"] == {"gaussian": True, "random": True}
    assert [row["id"] for row in program.call("GET", "/map-checks").json()["items"]] == [found["id"]]


@pytest.mark.parametrize(
    ("game", "low", "high", "said"),
    [("road", 0.1, 0.2, "better"), ("road", -0.2, -0.1, "worse"), ("road", -0.1, 0.1, "not shown"),
     ("deletion", 0.1, 0.2, "worse"), ("deletion", -0.2, -0.1, "better")],
)  # fmt: skip
def test_worse_is_not_called_not_shown(game, low, high, said):
    better = Better(gaussian=high < 0 if game == "deletion" else low > 0, random=False)
    zero, difference = Number(0, 0, 0), Number((low + high) / 2, low, high)
    assert verdict(game, Against(zero, zero, zero, difference, zero, better)) == said
