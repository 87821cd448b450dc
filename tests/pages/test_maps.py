"""Other methods, contrasts, sides and cells on the page of a case, and maps to take away."""

import csv
import io

import numpy as np
import pytest
from PIL import Image

from classifier.inference.maps import render
from classifier.models import CaseImage, Explanation, ExplanationJob, Prediction
from classifier.services.maps.explain import run_explanation
from classifier.services.predictions.predict import run_prediction
from skinsite.jobs import Failure
from tests.factories.bundles import small_model
from tests.pages.test_case import page_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def model(db):
    return small_model()


@pytest.fixture
def row(case) -> Prediction:
    run_prediction(prediction_id=Prediction.objects.get().pk)
    return Prediction.objects.get()


def work() -> None:
    run_explanation(job_id=ExplanationJob.objects.get().pk)


def picture_of(answer) -> Image.Image:
    assert answer["Content-Type"] == "image/png"
    return Image.open(io.BytesIO(answer.content))


def test_the_page_asks_for_a_method_waits_and_shows_it(alice, case, row):
    page = page_of(alice, case, method="hirescam")
    assert "HiResCAM waits for the worker" in page
    assert '<option value="hirescam" data-linear selected>' in page
    assert alice.get(f"/cases/{case.pk}/panel/", {"method": "hirescam"}).status_code == 200
    ExplanationJob.objects.claim(ExplanationJob.objects.get().pk, in_hand=True)
    assert "Making the HiResCAM map" in page_of(alice, case, method="hirescam")
    ExplanationJob.objects.update(state="queued", token=None, lease_until=None, in_hand=False)
    work()
    page = page_of(alice, case, method="hirescam")
    assert f"/predictions/{row.pk}/heat.png?method=hirescam&amp;class={row.top_code}" in page
    assert "Each place&#x27;s features times its own gradient" in page
    assert alice.get(f"/cases/{case.pk}/panel/", {"method": "hirescam"}).status_code == 286


def test_the_page_says_how_far_the_map_can_be_trusted(alice, case, row):
    page = page_of(alice, case)
    assert "Can the map be trusted? 1 of 1 checks passed; 4 not measured" in page
    assert "Not measured, or not to be measured here: engine, contrast, randomisation, lesion." in page
    Explanation.objects.update(maps=np.zeros((7, 4, 4), "<f4").tobytes())
    page = page_of(alice, case)
    assert "0 of 1 checks passed; not: not constant" in page
    assert "<b>Not constant</b> <strong>not passed</strong>" in page
    Explanation.objects.update(error={"code": "no-spatial-layer", "message": "There is no layer."}, maps=b"")
    assert "Can the map be trusted?" not in page_of(alice, case)


def test_a_method_that_failed_can_be_tried_again_from_the_page(alice, case, row):
    page_of(alice, case, method="occlusion")
    job = ExplanationJob.objects.get()
    token = ExplanationJob.objects.claim(job.pk, in_hand=True)
    ExplanationJob.objects.fail(job.pk, token, Failure("unexpected", "It broke.", "Try later."))
    page = page_of(alice, case, method="occlusion")
    assert "No Occlusion map: It broke. Try later." in page
    assert f"/predictions/{row.pk}/explain/" in page
    answer = alice.post(f"/predictions/{row.pk}/explain/", {"method": "occlusion"})
    assert answer["Location"] == f"/cases/{case.pk}/?image={row.image_id}&method=occlusion"
    work()
    assert "No Occlusion map" not in page_of(alice, case, method="occlusion")


def test_a_model_without_a_layer_offers_occlusion(alice, case, row):
    Explanation.objects.update(error={"code": "no-spatial-layer", "message": "There is no layer."}, maps=b"")
    for method in ("grad-cam", "hirescam"):
        page = page_of(alice, case, method=method)
        assert "There is no layer." in page
        assert "method=occlusion" in page
    assert not ExplanationJob.objects.exists()


def test_an_unknown_method_is_a_sentence_and_the_page_stays(alice, case, row):
    page = page_of(alice, case, method="tea-leaves")
    assert "is not known" in page
    assert "Grad-CAM, Small" in page


def test_a_contrast_leaves_the_other_class_out(alice, case, row):
    page = page_of(alice, case, against=row.top_code)
    assert " rather than " in page
    assert f'data-map="{row.pk}.{row.top_code}"' not in page
    assert "free of what all classes share" in page
    assert "no common zero" in page_of(alice, case)


def test_a_contrast_with_a_class_of_another_model_shows_the_plain_map(alice, case, row):
    page = page_of(alice, case, against="rust")
    assert f'data-map="{row.pk}.{row.top_code}"' in page
    assert " rather than " not in page.replace("“rather than”", "").partition("data-panel")[2]


def test_a_side_with_nothing_on_it_says_so(alice, case, row):
    stored = Explanation.objects.get()
    stored.maps = np.ones((7, 4, 4), "<f4").tobytes()
    stored.save()
    assert "; nothing lowers this score" in page_of(alice, case, side="lowers")


@pytest.mark.parametrize("wrong", [{"side": "left"}, {"grid": "fine"}, {"method": "tea"}, {"against": "tea"}])
def test_what_is_no_map_is_not_found(alice, row, wrong):
    for name in ("heat.png", "map.png", "map.csv"):
        assert alice.get(f"/predictions/{row.pk}/{name}", wrong).status_code == 404


def test_somebody_elses_maps_do_not_exist(charlie, row):
    for name in ("heat.png", "map.png", "map.csv"):
        assert charlie.get(f"/predictions/{row.pk}/{name}").status_code == 404
    assert charlie.post(f"/predictions/{row.pk}/explain/", {"method": "hirescam"}).status_code == 404
    assert not ExplanationJob.objects.exists()


def test_an_almost_empty_map_looks_almost_empty_on_the_absolute_scale(alice, row):
    values = np.zeros((7, 4, 4), "<f4")
    values[0], values[1] = 0.01, 1.0
    Explanation.objects.update(maps=values.tobytes())
    opaque = {}
    for scale in ("relative", "absolute"):
        answer = alice.get(f"/predictions/{row.pk}/heat.png", {"class": "akiec", "scale": scale})
        opaque[scale] = np.asarray(picture_of(answer).getchannel("A")).mean() / 255
    assert opaque["relative"] > 0.99
    assert opaque["absolute"] < 0.06


def test_the_native_grid_has_as_many_colours_as_cells(alice, row):
    values = np.arange(7 * 16, dtype="<f4").reshape(7, 4, 4)
    Explanation.objects.update(maps=values.tobytes())
    cells, smooth = (
        len(picture_of(alice.get(f"/predictions/{row.pk}/heat.png", {"class": "akiec", "grid": grid})).getcolors(10**6))
        for grid in ("native", "smooth")
    )
    assert cells == 16
    assert smooth > 100


def test_the_map_is_taken_away_as_a_picture_with_its_legend(alice, row):
    answer = alice.get(f"/predictions/{row.pk}/map.png", {"against": row.distribution[-1].code, "grid": "native"})
    assert f'filename="map-{row.pk}-{row.distribution[-1].code}.png"' in answer["Content-Disposition"]
    image = CaseImage.objects.get()
    page = picture_of(answer)
    height = round(1024 * image.height / image.width)
    assert page.width == 1024 + 40
    assert page.height > height + 100
    legend = np.asarray(page.convert("RGB"))[height + 40 :]
    low, high = (np.array(tuple(bytes.fromhex(colour[1:]))) for colour in render.legend_colours(2))
    for end in (low, high):
        assert (legend == end).all(axis=-1).any(), "the scale is drawn from end to end"


def test_the_map_is_taken_away_as_numbers(alice, row):
    answer = alice.get(f"/predictions/{row.pk}/map.csv", {"class": "mel", "against": "nv"})
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))
    signed = Explanation.objects.get().signed_maps()
    found = np.array([float(line["value"]) for line in rows]).reshape(4, 4)
    assert np.allclose(found, signed["mel"] - signed["nv"], atol=1e-6)
    assert (rows[5]["row"], rows[5]["column"], rows[5]["left"], rows[5]["bottom"]) == ("1", "1", "80.0", "120.0")
    assert {line["disclaimer"] for line in rows} == {"Research and teaching. Not a diagnosis."}
