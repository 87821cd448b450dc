"""Submitting: the good files go on, the others are named."""

import io
import tempfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from classifier.models import Case, CaseImage, Prediction
from tests.factories.rows import make_model
from tests.pictures import picture


def file(content: bytes, name: str = "lesion.jpg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def submit(client, model, *files, **fields):
    return client.post("/cases/new/", {"images": list(files), "models": [model.pk], **fields})


def test_a_picture_becomes_a_case_with_a_queued_prediction(alice, model):
    answer = submit(
        alice, model, file(picture()), title="Left arm", age="44.5", sex="female", site="scalp", reference="mel"
    )
    case = Case.objects.get()
    assert answer["Location"] == f"/cases/{case.pk}/"
    assert (case.title, float(case.age), case.sex, case.site, case.reference) == (
        "Left arm",
        44.5,
        "female",
        "scalp",
        "mel",
    )
    assert Prediction.objects.get().state == "queued"


def test_nineteen_of_twenty_go_on(alice, model):
    files = [file(picture(seed, (64, 48)), f"{seed}.jpg") for seed in range(19)]
    submit(alice, model, *files[:10], file(b"<html>", "broken.jpg"), *files[10:])
    case = Case.objects.get()
    assert case.images.count() == 19
    assert [entry["file"] for entry in case.refused] == ["broken.jpg"]
    page = alice.get(f"/cases/{case.pk}/").content.decode()
    assert "broken.jpg" in page
    assert "web page" in page


BAD = {
    "text.jpg": b"just text",
    "page.jpg": b"<!DOCTYPE html><script>alert(1)</script>",
    "drawing.jpg": b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>",
    "empty.jpg": b"",
    "cut.jpg": picture(0, (400, 300))[:3000],
    "tiny.png": picture(0, (8, 8), "PNG"),
    "scan.dcm": b"\0" * 128 + b"DICM" + b"\0" * 200,
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_picture_gets_a_sentence(alice, model, name):
    answer = submit(alice, model, file(BAD[name], name))
    page = answer.content.decode()
    assert answer.status_code == 422
    assert name in page
    assert "<script>alert" not in page
    assert not Case.objects.exists()


def test_a_bomb_and_a_giant_file_are_refused(alice, model):
    bomb = b"GIF89a\xff\xff\xff\xff\0\0\0,\0\0\0\0\xff\xff\xff\xff\0\2\0;"
    assert "above 64 megapixels" in submit(alice, model, file(bomb)).content.decode()
    assert not Case.objects.exists()
    with tempfile.NamedTemporaryFile(suffix=".jpg") as giant:
        giant.write(picture())
        giant.truncate(200 * 10**6)
        giant.seek(0)
        answer = submit(alice, model, giant)
    assert answer.status_code == 422
    assert "limit of 50 MB" in answer.content.decode()


def test_too_many_pictures_are_refused_by_their_number(alice, model, settings):
    settings.IMAGES_A_CASE = 2
    answer = submit(alice, model, *(file(picture(seed, (40, 40))) for seed in range(3)))
    assert "3 images are above the limit of 2" in answer.content.decode()
    assert not Case.objects.exists()


def test_a_person_who_waits_for_too_much_is_told(alice, model, settings):
    settings.QUEUED_PREDICTIONS_A_USER = 1
    submit(alice, model, file(picture()))
    assert "limit of 1" in submit(alice, model, file(picture())).content.decode()
    assert Case.objects.count() == 1


@pytest.mark.parametrize("state", ["retired", None])
def test_a_model_that_cannot_predict_is_no_choice(alice, model, state):
    chosen = make_model("Old", state=state).pk if state else 99999
    answer = alice.post("/cases/new/", {"images": [file(picture())], "models": [chosen], "title": "Kept"})
    assert answer.status_code == 422
    assert "There is no such model" in answer.content.decode()
    assert 'value="Kept"' in answer.content.decode()


def test_a_form_without_pictures_or_models_says_so(alice, model):
    page = alice.post("/cases/new/", {}).content.decode()
    assert "Choose at least one picture" in page
    assert "Choose at least one model" in page


def test_a_default_model_is_preselected(alice, model):
    make_model("Other")
    page = alice.get("/cases/new/").content.decode()
    assert page.count("checked") == 1


def test_what_is_stored_carries_no_metadata(alice, model):
    from PIL import Image

    exif = Image.Exif()
    exif.get_ifd(0x8825)[1] = "N"
    exif[0x010E] = "Jane Doe"
    content = io.BytesIO()
    Image.open(io.BytesIO(picture())).save(content, "JPEG", exif=exif)
    submit(alice, model, file(content.getvalue()))
    image = CaseImage.objects.get()
    for stored in (image.pixels, image.screen, image.thumbnail):
        with stored.open("rb") as opened:
            data = opened.read()
        assert b"Jane" not in data
        assert not Image.open(io.BytesIO(data)).getexif()
    assert "GPS" in " ".join(image.changes)
