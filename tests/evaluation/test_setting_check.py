"""Setting checks as a worker, an administrator and a program see them, with a network that reads colours."""

import io
import json
from functools import cache
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from PIL import Image

from classifier.inference.classifier import Classifier, Output
from classifier.inference.input.manifest import Manifest
from classifier.models import Admission, ModelRecord
from evaluation.models import ClassPlace, DataSet, SettingAnswers, SettingCheck, TrainingSet
from evaluation.services.data_sets.seen import seen_images
from evaluation.services.setting_checks import run
from evaluation.services.setting_checks.run import question_of, run_setting_check
from evaluation.services.setting_checks.start import (
    fill_manifest,
    start_setting_check,
)
from evaluation.setting import assignment, evidence, verdict
from skinsite.jobs import LEASE, State, actions, turns
from skinsite.refusal import Conflict, Refusal
from tests.factories.data_sets import make_data_set
from tests.factories.evaluations import INPUT
from tests.factories.rows import make_model, make_prediction, make_user
from tests.people import Person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quiet")]
TRUE_ORDER = ("mel", "nv", "bcc")
REGISTERED = ("bcc", "mel", "nv")
COLOURS = {"mel": (150, 60, 30), "nv": (60, 150, 30), "bcc": (30, 60, 150)}
MANIFEST = {
    "name": "Colours",
    "version": "1",
    "framework": "keras",
    "classes": [{"code": code, "name": code.upper(), "malignant": None} for code in REGISTERED],
    "input": INPUT | {"range": [0, 1]},
    "output": "softmax",
}


class ColourNetwork(Classifier):
    """Was trained with red, green, blue from −1 to 1: each output knows its class's colour and little else."""

    layer, bytes = None, 0

    def __init__(self) -> None:
        self.manifest = Manifest.model_validate(MANIFEST)
        self.batches = 0
        self.before: Any = lambda: None

    def output(self, inputs: Any, vectors: Any, method: Any = None) -> Output:
        self.before()
        self.batches += 1
        wanted = np.array([COLOURS[code] for code in TRUE_ORDER]) / 127.5 - 1
        distances = ((inputs.mean((1, 2))[:, None] - wanted) ** 2).sum(2)
        return Output((6 * np.exp(-3 * distances)).astype(np.float32), None, 1.0, 0.0)


@cache
def coloured_pictures(labels: tuple[str, ...]) -> list[dict[str, bytes]]:
    """Return a picture for each label as PNG and as WebP; the same labels are drawn once."""
    rng, pictures = np.random.default_rng(3), []
    for label in labels:
        centre = np.array(COLOURS[label]) + rng.normal(0, 35, 3)
        pixels = np.clip(centre + rng.normal(0, 10, (12, 16, 3)), 0, 255).astype(np.uint8)
        files = {}
        for kind in ("png", "webp"):
            file = io.BytesIO()
            Image.fromarray(pixels).save(file, kind)
            files[kind] = file.getvalue()
        pictures.append(files)
    return pictures


def coloured_set(each: int = 24, owner: Any = None) -> DataSet:
    """Noisy pictures in their class's colour, one a lesion."""
    labels = tuple(code for code in TRUE_ORDER for _ in range(each))
    data_set = make_data_set(labels, owner=owner)
    for image, files in zip(data_set.images.order_by("pk"), coloured_pictures(labels), strict=True):
        for field, kind in (("pixels", "png"), ("thumbnail", "webp")):
            name = default_storage.save(f"datasets/{data_set.pk}-{image.pk}.{kind}", ContentFile(files[kind]))
            setattr(image, field, name)
        image.save()
    return data_set


@pytest.fixture
def network(monkeypatch) -> ColourNetwork:
    found = ColourNetwork()
    monkeypatch.setattr(run, "load_classifier", lambda model: (found, 0.0))
    return found


@pytest.fixture
def root(db) -> Any:
    return make_user("root", is_staff=True, is_superuser=True)


@pytest.fixture
def model(db, settings) -> ModelRecord:
    record = make_model("Colours", manifest=MANIFEST, measured={"predict_ms": 10.0}, card="Trained by Alice.")
    record.upload_path.parent.mkdir(parents=True, exist_ok=True)
    record.upload_path.write_bytes(b"the original file")
    return record


@pytest.fixture
def check(root, model, network) -> SettingCheck:
    return start_setting_check(owner=root, data_set=coloured_set(owner=root), model=model, seed=1)


def ran(check: SettingCheck) -> SettingCheck:
    run_setting_check(check_id=check.pk)
    return SettingCheck.objects.select_related("model", "filled").get(pk=check.pk)


@pytest.fixture(autouse=True)
def fewer_draws(monkeypatch) -> None:
    """Where chance and the intervals end need not be known to the percent."""
    monkeypatch.setattr(assignment, "NULL_RUNS", 50)
    monkeypatch.setattr(evidence, "REPLICATES", 400)
    monkeypatch.setattr(verdict, "MATCHED_REPLICATES", 200)


def test_a_wrong_order_and_a_wrong_scaling_are_found_and_registered_without_an_upload(check, root):
    done = ran(check)
    assert done.state == State.DONE, done.error
    assert done.total == done.done > 0
    found = done.document
    assert found["claims"]
    assert [entry["output"] for entry in found["classes"]] == [TRUE_ORDER.index(code) for code in REGISTERED]
    assert {part["name"] for part in found["parts"] if part["confirmed"]} >= {"scaling"}
    assert [entry["code"] for entry in found["fills"]["classes"]] == list(TRUE_ORDER)
    assert found["fills"]["input"]["range"] == [-1.0, 1.0]
    assert len(found["samples"]) == 12
    json.dumps(found, allow_nan=False)

    record = fill_manifest(check=done, user=root)
    given = Admission.objects.get(record=record).manifest
    assert (record.name, record.version, record.state) == ("Colours", "2", "checking")
    assert record.upload_path.read_bytes() == b"the original file"
    assert [entry["code"] for entry in given["classes"]] == list(TRUE_ORDER)
    assert (given["input"]["range"], given["input"]["width"], given["card"]) == ([-1.0, 1.0], 8, "Trained by Alice.")
    assert ModelRecord.objects.get(pk=check.model_id).manifest == MANIFEST
    with pytest.raises(Conflict, match="filled in before"):
        fill_manifest(check=SettingCheck.objects.get(pk=check.pk), user=root)


def test_filling_in_takes_the_training_lists_along_and_copies_no_file(check, root, model):
    TrainingSet.objects.create(model=model, name="Mine", identifiers="image-00000\nimage-00001")
    ClassPlace.objects.create(model=model, taxonomy="ham7", code="mel", place="mel")
    done = ran(check)
    record = fill_manifest(check=done, user=root)
    images = list(done.data_set.images.all())
    assert seen_images(record, images) == seen_images(model, images)
    assert (model.training_sets.count(), record.training_sets.count()) == (1, 1)
    assert [(row.code, row.place) for row in record.class_places.all()] == [("mel", "mel")]
    assert record.upload != model.upload
    assert record.upload_path.samefile(model.upload_path)
    assert record.upload_sha256 == model.upload_sha256


def test_filling_in_gives_what_is_confirmed_and_leaves_the_rest_assumed(check, root, model):
    told = {"name": "Colours", "classes": MANIFEST["classes"], "input": {"width": 8, "height": 8}}
    Admission.objects.create(record=model, manifest=told, state=State.DONE, finished_at=timezone.now())
    given = fill_manifest(check=ran(check), user=root).admissions.get().manifest
    assert given["input"]["range"] == [-1, 1]
    assert given["input"]["width"] == 8
    assert "interpolation" not in given["input"]


def test_two_who_fill_in_at_once_make_one_version(check, root, model):
    first, second = ran(check), SettingCheck.objects.select_related("model", "filled").get(pk=check.pk)
    fill_manifest(check=first, user=root)
    before = sorted(model.upload_path.parent.iterdir())
    with pytest.raises(Conflict, match="filled in before, as Colours"):
        fill_manifest(check=second, user=root)
    assert ModelRecord.objects.count() == 2
    assert sorted(model.upload_path.parent.iterdir()) == before


def test_an_original_that_is_gone_is_a_conflict(check, root, model):
    done = ran(check)
    model.upload_path.unlink()
    with pytest.raises(Conflict, match="is not on this server any more"):
        fill_manifest(check=done, user=root)
    assert ModelRecord.objects.count() == 1


def test_a_check_on_a_private_data_set_is_its_owners(check, model, network):
    other, client = Person("root2", is_staff=True, is_superuser=True), Client()
    client.force_login(make_user("root2"))
    page = check.get_absolute_url()

    def answers() -> list[int]:
        api = f"/setting-checks/{check.pk}"
        return [client.get(page).status_code, other.call("GET", api).status_code]

    assert answers() == [404, 404]
    assert other.call("POST", f"/setting-checks/{check.pk}/cancel").status_code == 404
    assert check.data_set.name not in client.get(model.get_absolute_url()).content.decode()
    DataSet.objects.update(published=True)
    assert answers() == [200, 200]
    assert check.data_set.name in client.get(model.get_absolute_url()).content.decode()


def test_a_person_comes_first_and_no_answer_is_computed_twice(check, network):
    alone = ColourNetwork()
    batches, people = [], []

    def somebody_comes() -> None:
        batches.append(1)
        if len(batches) in (3, 9):
            people.append(make_prediction(model=check.model))

    network.before = somebody_comes
    run_setting_check(check_id=check.pk)
    row = SettingCheck.objects.get(pk=check.pk)
    assert (row.state, row.shown_state, network.batches) == (State.QUEUED, State.RUNNING, 3)
    run_setting_check(check_id=check.pk)
    assert network.batches == 3  # the person still waits
    people.pop().delete()
    run_setting_check(check_id=check.pk)
    assert network.batches == 9
    people.pop().delete()
    assert ran(check).state == State.DONE
    answers = SettingAnswers.objects.filter(check_of=check)
    assert network.batches == sum(-(-row.images // 15) for row in answers)
    assert alone.batches == 0


def test_a_check_that_makes_progress_outlives_lost_workers(check, network):
    """A third worker goes on after two that were lost with answers stored."""
    for _ in range(2):
        network.before = Mock(side_effect=[None, None, KeyboardInterrupt])
        with pytest.raises(KeyboardInterrupt):
            run_setting_check(check_id=check.pk)
        SettingCheck.objects.filter(pk=check.pk).update(lease_until=timezone.now() - LEASE)
        assert SettingCheck.objects.recover() == 1
    row = SettingCheck.objects.get(pk=check.pk)
    assert (row.state, row.worker_losses) == (State.QUEUED, 1)
    network.before = lambda: None
    assert ran(check).state == State.DONE


def test_a_long_check_takes_turns_with_itself(check, network, monkeypatch):
    monkeypatch.setattr(turns, "LONGEST_SLICE_SECONDS", 0.0)
    run_setting_check(check_id=check.pk)
    assert (SettingCheck.objects.get(pk=check.pk).state, network.batches) == (State.QUEUED, 1)
    run_setting_check(check_id=check.pk)
    assert (SettingCheck.objects.get(pk=check.pk).state, network.batches) == (State.QUEUED, 2)
    run_setting_check(check_id=check.pk, alone=True)
    assert SettingCheck.objects.get(pk=check.pk).state == State.DONE


def test_a_number_that_is_none_is_never_stored(check, monkeypatch):
    monkeypatch.setattr(verdict, "chance", lambda *values, **options: np.array([np.nan]))
    failed = ran(check)
    assert (failed.state, failed.error_code) == (State.FAILED, "not-a-number")
    assert failed.document == {}


def test_what_hangs_together_is_in_one_half(root, model, network):
    """One picture of a lesion names its patient, the other does not; some pictures come under two names."""
    data_set = coloured_set(owner=root)
    images = list(data_set.images.order_by("pk"))
    for number, (one, other) in enumerate(zip(images[::2], images[1::2], strict=True)):
        if number % 2:
            other.sha256 = one.sha256
        else:
            one.lesion, other.lesion, one.patient = f"L{number}", f"L{number}", f"P{number}"
        one.save()
        other.save()
    drawn, question = question_of(start_setting_check(owner=root, data_set=data_set, model=model, seed=1))
    for field in ("lesion", "sha256"):
        search, test = ({getattr(image, field) for image in drawn[half]} - {""} for half in ("search", "test"))
        assert not search & test
    assert question.halves["test"].lesion_count == len(drawn["test"]) / 2


def test_the_page_shows_what_the_import_warned_of_and_which_classes_are_undetermined(check, root):
    DataSet.objects.filter(pk=check.data_set_id).update(warnings=["No lesion is named: each image counts."])
    done = ran(check)
    done.document["classes"][0]["state"] = "undetermined"
    done.save()
    client = Client()
    client.force_login(root)
    page = client.get(check.get_absolute_url()).content.decode()
    assert "No lesion is named" in page
    assert "classes: mel, nv, bcc (undetermined)" in page


def test_a_cancelled_check_stops_at_the_next_batch_and_goes_on_when_it_is_tried_again(check, network):
    network.before = lambda: actions.cancel(check) if network.batches == 2 else None
    run_setting_check(check_id=check.pk)
    assert SettingCheck.objects.get(pk=check.pk).state == State.CANCELLED
    assert network.batches == 3
    with pytest.raises(Conflict):
        actions.cancel(check)
    network.before = lambda: None
    actions.retry(check)
    assert ran(check).state == State.DONE


def test_a_picture_that_is_gone_is_named(check):
    image = check.data_set.images.order_by("pk").last()
    default_storage.delete(image.pixels.name)
    failed = ran(check)
    assert (failed.state, failed.error_code) == (State.FAILED, "image-missing")
    assert image.name in failed.error_message


def test_few_images_confirm_nothing_and_fill_nothing(root, model, network):
    check = start_setting_check(owner=root, data_set=coloured_set(10, owner=root), model=model, seed=1)
    done = ran(check)
    assert "30 images of 30 lesions are too few" in done.document["sentences"][0]
    assert (done.document["claims"], done.document["fills"]) == (False, {})
    with pytest.raises(Conflict, match="confirms nothing"):
        fill_manifest(check=done, user=root)


def test_what_cannot_be_checked_is_refused(root, model, check):
    with pytest.raises(Conflict, match="being checked"):
        start_setting_check(owner=root, data_set=check.data_set, model=model)
    with pytest.raises(Refusal, match="choose another data set"):
        start_setting_check(owner=root, data_set=make_data_set(["vasc", "df"] * 20), model=model)
    unready = DataSet.objects.create(owner=root, name="new")
    with pytest.raises(Refusal, match="import is done"):
        start_setting_check(owner=root, data_set=unready, model=model)


def test_the_command_prints_what_is_found(root, model, network, capsys):
    data_set = coloured_set(owner=root)
    call_command("check_setting", str(model.pk), str(data_set.pk), "--seed", "1")
    printed = capsys.readouterr().out
    assert "Each of the 3 classes is confirmed at its output" in printed
    assert f"setting check {SettingCheck.objects.get().pk}" in printed


def test_an_administrator_starts_follows_and_fills_in(root, model, network):
    data_set, client = coloured_set(owner=root), Client()
    client.force_login(root)
    assert "Check the settings" in client.get(model.get_absolute_url()).content.decode()
    address = f"/models/{model.pk}/setting-checks/new/"
    assert client.get(address).status_code == 200
    assert client.post(address, {"dataset": "0"}).status_code == 422
    page = client.post(address, {"dataset": data_set.pk})["Location"]
    assert "Waiting for a worker" in client.get(page).content.decode()
    assert client.get(f"{page}progress/").status_code == 200
    again = client.post(address, {"dataset": data_set.pk})
    assert (again.status_code, "being checked" in again.content.decode()) == (422, True)
    SettingCheck.objects.update(seed=1)
    assert ran(SettingCheck.objects.get()).state == State.DONE
    assert client.get(f"{page}progress/")["HX-Refresh"] == "true"
    shown = client.get(page).content.decode()
    for text in ("classes: mel, nv, bcc", "input.range: -1, 1", "Winner against its closest rival", "One look"):
        assert text in shown
    assert shown.count("thumbnail.webp") == 12
    record = ModelRecord.objects.get(pk=int(client.post(f"{page}fill/")["Location"].split("/")[-2]))
    assert record.version == "2"
    assert "Filled in as" in client.get(page).content.decode()
    assert "It found other settings than these" in client.get(model.get_absolute_url()).content.decode()


def test_to_others_there_are_no_setting_checks(check, model):
    client = Client()
    page = check.get_absolute_url()
    assert client.get(page).status_code == 302
    client.force_login(make_user("charlie"))
    for address in (page, f"{page}progress/", f"/models/{model.pk}/setting-checks/new/"):
        assert client.get(address).status_code == 404
    for action in ("cancel", "retry", "fill"):
        assert client.post(f"{page}{action}/").status_code == 404
    assert "setting-checks" not in client.get(model.get_absolute_url()).content.decode()


def test_a_program_of_an_administrator_starts_reads_and_fills_in(root, model, network):
    data_set = coloured_set(owner=root)
    program, charlie = Person("root"), Person("charlie")
    start = f"/models/{model.pk}/setting-checks"
    assert charlie.post_json(start, {"dataset": str(data_set.pk)}).status_code == 403
    assert program.post_json(start, {"dataset": "999"}).status_code == 404
    assert program.post_json(start, {}).status_code == 422
    answer = program.post_json(start, {"dataset": str(data_set.pk), "seed": 1})
    assert (answer.status_code, answer.json()["state"], answer.json()["result"]) == (202, "queued", None)
    assert program.post_json(start, {"dataset": str(data_set.pk)}).status_code == 409
    where = answer["Location"].removeprefix("/api/v1")
    assert charlie.call("GET", where).status_code == 403
    assert program.call("POST", f"{where}/cancel").json()["state"] == "cancelled"
    assert program.call("POST", f"{where}/retry").json()["state"] == "queued"
    assert program.call("POST", f"{where}/fill").status_code == 409
    ran(SettingCheck.objects.get())
    found = program.call("GET", where).json()
    assert (found["state"], found["result"]["claims"]) == ("done", True)
    assert found["result"]["order"]["codes"] == list(TRUE_ORDER)
    filled = program.call("POST", f"{where}/fill")
    assert (filled.status_code, filled.json()["version"]) == (202, "2")
    assert program.call("GET", where).json()["filled"] == filled.json()["model"]
