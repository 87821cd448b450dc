"""The page of a case in every state."""

import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.utils import timezone

from classifier.models import Case, CaseImage, Explanation, Prediction
from skinsite.jobs import Failure
from tests.factories.rows import SEVEN, make_done_prediction, make_model, make_user

pytestmark = pytest.mark.django_db


def finish(row: Prediction, top: str = "nv", maps: bool = True) -> None:
    token = Prediction.objects.claim(row.pk, in_hand=True)
    probabilities = {code: 0.9 if code == top else 0.1 / 6 for code in SEVEN}
    result = {"top_code": top, "top_probability": 0.9, "load_ms": 0, "predict_ms": 88.0, "explain_ms": 3.0}
    assert Prediction.objects.finish(row.pk, token, probabilities=probabilities, **result)
    values = np.linspace(-1, 1, 7 * 4 * 4, dtype="<f4")
    fields = {"layer": "last", "rows": 4, "columns": 4, "region": [0, 0, 320, 240], "maps": values.tobytes()}
    Explanation.objects.create(
        prediction=row, **fields if maps else {"error": {"code": "no-spatial-layer", "message": "No."}}
    )


def page_of(client, case: Case, **parameters) -> str:
    """Return the page on one line, whatever line of the template a word stands in."""
    return " ".join(client.get(f"/cases/{case.pk}/", parameters).content.decode().split())


def test_a_queued_prediction_shows_its_place_and_can_be_cancelled(alice, case):
    page = page_of(alice, case)
    assert "1st in the queue" in page
    assert 'hx-trigger="every 1s"' in page
    alice.post(f"/predictions/{Prediction.objects.get().pk}/cancel/")
    assert "Cancelled before it was done" in page_of(alice, case)


@pytest.mark.parametrize(("in_hand", "words"), [(False, "Loading the model"), (True, "Predicting and drawing maps")])
def test_a_running_prediction_shows_what_is_happening(alice, case, in_hand, words):
    Prediction.objects.claim(Prediction.objects.get().pk, in_hand=in_hand)
    assert words in page_of(alice, case)


def test_a_failed_prediction_shows_the_reason_and_can_be_tried_again(alice, case):
    row = Prediction.objects.get()
    token = Prediction.objects.claim(row.pk, in_hand=True)
    Prediction.objects.fail(row.pk, token, Failure("image-missing", "It is gone.", "Submit it again."))
    page = page_of(alice, case)
    assert "It is gone." in page
    assert "Submit it again." in page
    alice.post(f"/predictions/{row.pk}/retry/")
    assert "in the queue" in page_of(alice, case)


def test_trying_a_done_prediction_again_is_answered_in_words(alice, case):
    row = Prediction.objects.get()
    finish(row)
    page = alice.post(f"/predictions/{row.pk}/retry/", follow=True).content.decode()
    assert "only a failed or cancelled one" in page


def test_a_done_prediction_shows_everything(alice, case):
    finish(Prediction.objects.get())
    page = page_of(alice, case)
    for words in ("Melanocytic nevus", "0.900", "malignant", "88 ms", "dx-nv", "Not a diagnosis", "layer", "heat.png"):
        assert words in page, words
    assert "hx-trigger" not in page


def test_a_class_is_chosen_by_a_link(alice, case):
    row = Prediction.objects.get()
    finish(row)
    page = page_of(alice, case, map=f"{row.pk}.mel")
    assert f"/predictions/{row.pk}/heat.png?class=mel&amp;scale=relative" in page
    assert "melanoma</span>" in page


@pytest.mark.parametrize(("reference", "words"), [("nv", "reference, hit"), ("mel", "reference, missed")])
def test_the_reference_is_hit_or_missed_in_words(alice, case, reference, words):
    Case.objects.update(reference=reference)
    finish(Prediction.objects.get())
    assert words in page_of(alice, case)


def test_the_panel_ends_its_refreshing_when_all_is_final(alice, case):
    address = f"/cases/{case.pk}/panel/"
    assert alice.get(address).status_code == 200
    finish(Prediction.objects.get())
    assert alice.get(address).status_code == 286


def test_a_model_without_a_map_says_so(alice, case):
    finish(Prediction.objects.get(), maps=False)
    assert "No Grad-CAM map: No." in page_of(alice, case)


def test_words_from_strangers_are_only_text(alice, case):
    nasty = "<script>alert(1)</script>"
    Case.objects.update(title=nasty, note=nasty)
    CaseImage.objects.update(name=nasty)
    make_done_prediction(CaseImage.objects.get(), make_model(nasty))
    page = page_of(alice, case)
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_unknown_classes_get_the_hatch_and_no_malignant_sum(alice, case):
    leaves = [
        {"code": "rust", "name": "Leaf rust", "malignant": None},
        {"code": "ok", "name": "Healthy", "malignant": None},
    ]
    Prediction.objects.all().delete()
    make_done_prediction(CaseImage.objects.get(), make_model("Leaves", classes=leaves), top="rust")
    page = page_of(alice, case)
    assert "Leaf rust" in page
    assert "dx-other" in page
    assert "malignant" not in page


def test_another_model_can_be_asked(alice, case):
    other = make_model("Other")
    alice.post(f"/cases/{case.pk}/again/", {"models": [other.pk]})
    alice.post(f"/cases/{case.pk}/again/", {"models": [other.pk]})
    assert Prediction.objects.filter(model=other).count() == 1


def test_deleting_asks_first_and_takes_the_files_along(alice, case, django_capture_on_commit_callbacks):
    image = CaseImage.objects.get()
    address = f"/cases/delete/?id={case.pk}"
    assert "Delete 1 case?" in alice.get(address).content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        alice.post("/cases/delete/", {"id": case.pk, "really": "yes"})
    assert not Case.objects.exists()
    assert not any(default_storage.exists(str(name)) for name in (image.pixels, image.screen, image.thumbnail))


def test_the_files_go_with_their_owner_too(case, django_capture_on_commit_callbacks):
    image = CaseImage.objects.get()
    with django_capture_on_commit_callbacks(execute=True):
        make_user("alice").delete()
    assert not default_storage.exists(str(image.pixels))


@pytest.mark.parametrize(("rendition", "kind"), [("pixels.png", "image/png"), ("screen.webp", "image/webp")])
def test_pictures_are_served_closed_and_as_what_they_are(alice, case, rendition, kind):
    answer = alice.get(f"/cases/{case.pk}/images/{CaseImage.objects.get().pk}/{rendition}")
    assert answer["Content-Type"] == kind
    assert "sandbox" in answer["Content-Security-Policy"]
    assert "private" in answer["Cache-Control"]
    assert alice.get(f"/cases/{case.pk}/images/{CaseImage.objects.get().pk}/secret-key").status_code == 404


def test_a_heat_map_is_a_picture_of_a_known_class_and_scale(alice, case):
    row = Prediction.objects.get()
    assert alice.get(f"/predictions/{row.pk}/heat.png").status_code == 404
    finish(row)
    assert alice.get(f"/predictions/{row.pk}/heat.png")["Content-Type"] == "image/png"
    relative, absolute = (
        alice.get(f"/predictions/{row.pk}/heat.png", {"class": "df", "scale": scale}).content
        for scale in ("relative", "absolute")
    )
    assert relative != absolute
    for wrong in ({"class": "nope"}, {"scale": "huge"}):
        assert alice.get(f"/predictions/{row.pk}/heat.png", wrong).status_code == 404


def test_age_is_human_in_the_database_too(case):
    from django.db import IntegrityError

    with pytest.raises(IntegrityError):
        Case.objects.update(age=400, created=timezone.now())
