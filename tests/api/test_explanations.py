"""Maps by other methods: 202 until a worker has made them, then 200."""

import io

import numpy as np
import pytest

from classifier.models import Explanation, ExplanationJob, Prediction
from classifier.services.cases import Upload, create_case
from classifier.services.explanations import run_explanation
from classifier.services.predictions import run_prediction
from skinsite.jobs import Failure
from tests.api.test_cases import problem
from tests.factories import SEVEN, make_user
from tests.pictures import picture
from tests.small_bundles import small_model


@pytest.fixture
def row(db) -> Prediction:
    uploads = [Upload("lesion.jpg", io.BytesIO(picture(0, (320, 240))))]
    create_case(owner=make_user("alice"), uploads=uploads, models=[small_model()])
    run_prediction(prediction_id=Prediction.objects.get().pk)
    return Prediction.objects.get()


def work() -> None:
    run_explanation(job_id=ExplanationJob.objects.get().pk)


def test_another_method_is_queued_then_there(alice, row):
    path = f"/predictions/{row.pk}/explanations"
    answer = alice.call("GET", path, {"method": "grad-cam++"})
    assert (answer.status_code, answer.json()) == (202, {"method": "grad-cam++", "state": "queued", "error": None})
    address = answer["Location"]
    assert address == f"/api/v1{path}?method=grad-cam%2B%2B"
    assert alice.client.get(address).status_code == 202
    work()
    found = alice.client.get(address)
    assert found.status_code == 200
    assert (found.json()["method"], found.json()["layer"], found.json()["rows"]) == ("grad-cam++", "conv", 4)
    assert set(found.json()["maps"]) == set(found.json()["lowers"]) == set(SEVEN)
    assert alice.call("GET", path + "?method=grad-cam++").status_code == 200  # a plus that was not encoded


def test_the_stored_method_is_the_default(alice, row):
    assert alice.call("GET", f"/predictions/{row.pk}/explanations").json()["method"] == "grad-cam"


def test_occlusion_has_the_grid_of_the_input_and_both_signs(alice, row):
    path = f"/predictions/{row.pk}/explanations"
    alice.call("GET", path, {"method": "occlusion"})
    work()
    found = alice.call("GET", path, {"method": "occlusion"}).json()
    assert (found["layer"], found["rows"], found["columns"]) == ("input", 8, 8)
    assert found["region"] == [0, 0, 320, 240]
    assert np.array(found["lowers"]["mel"]).max() > 0 or np.array(found["maps"]["mel"]).max() > 0


def test_a_failed_job_is_a_422_with_its_reason_and_can_be_tried_again(alice, row):
    path = f"/predictions/{row.pk}/explanations"
    alice.call("GET", path, {"method": "hirescam"})
    job = ExplanationJob.objects.get()
    token = ExplanationJob.objects.claim(job.pk, in_hand=True)
    ExplanationJob.objects.fail(job.pk, token, Failure("unexpected", "It broke.", "Try again."))
    assert "unexpected: It broke. Try again." in problem(alice.call("GET", path, {"method": "hirescam"}), 422)["detail"]
    assert alice.call("POST", f"{path}?method=hirescam").status_code == 202
    work()
    assert alice.call("POST", f"{path}?method=hirescam").status_code == 200


def test_somebody_elses_prediction_has_no_maps_and_no_job(charlie, row):
    for method in ("GET", "POST"):
        problem(charlie.call(method, f"/predictions/{row.pk}/explanations?method=hirescam"), 404)
    problem(charlie.call("GET", f"/predictions/{row.pk}/heat.png?method=hirescam"), 404)
    assert not ExplanationJob.objects.exists()


def test_unknown_methods_and_classes_are_named(alice, row):
    detail = problem(alice.call("GET", f"/predictions/{row.pk}/explanations", {"method": "tea-leaves"}), 422)["detail"]
    for name in ("grad-cam", "grad-cam++", "hirescam", "eigen-cam", "occlusion"):
        assert name in detail
    heat = f"/predictions/{row.pk}/heat.png"
    assert "tea-leaves" in problem(alice.call("GET", heat, {"method": "tea-leaves"}), 422)["detail"]
    assert "'tea'" in problem(alice.call("GET", heat, {"against": "tea"}), 422)["detail"]
    problem(alice.call("GET", heat, {"class": "tea"}), 404)
    problem(alice.call("GET", heat, {"class": "mel", "against": "mel"}), 404)
    for wrong in ({"side": "left"}, {"scale": "huge"}, {"grid": "fine"}):
        problem(alice.call("GET", heat, wrong), 422)
    problem(alice.call("GET", heat, {"method": "hirescam"}), 404)  # nobody has asked for it


def test_a_contrast_is_only_for_linear_methods(alice, row):
    alice.call("GET", f"/predictions/{row.pk}/explanations", {"method": "eigen-cam"})
    work()
    wanted = {"method": "eigen-cam", "class": "mel", "against": "nv"}
    assert "not linear" in problem(alice.call("GET", f"/predictions/{row.pk}/heat.png", wanted), 422)["detail"]


def test_each_choice_is_another_picture(alice, row):
    Explanation.objects.update(maps=np.random.default_rng(0).normal(size=(7, 4, 4)).astype("<f4").tobytes())
    other = row.distribution[1]["code"]
    choices = [{}, {"side": "lowers"}, {"grid": "native"}, {"against": other}, {"scale": "absolute", "class": other}]
    pictures = set()
    for choice in choices:
        answer = alice.call("GET", f"/predictions/{row.pk}/heat.png", choice)
        assert answer["Content-Type"] == "image/png"
        pictures.add(answer.content)
    assert len(pictures) == len(choices)


def test_numbers_are_read_with_a_session_too(client, row):
    client.force_login(make_user("alice"))
    assert client.get(f"/api/v1/predictions/{row.pk}/explanations").status_code == 200
    assert client.post(f"/api/v1/predictions/{row.pk}/explanations").status_code == 401
