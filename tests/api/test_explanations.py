"""Maps by other methods: 202 until a worker has made them, then 200."""

import io
from typing import Any

import numpy as np
import pytest

from classifier.models import Explanation, ExplanationJob, ModelRecord, Prediction
from classifier.services.cases.create import Upload, create_case
from classifier.services.maps.explain import run_explanation
from classifier.services.predictions.predict import run_prediction
from skinsite.jobs import Failure
from tests.api.test_cases import problem
from tests.factories.bundles import small_model
from tests.factories.rows import SEVEN, make_user
from tests.pictures import picture


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
    assert alice.program.get(address).status_code == 202
    work()
    found = alice.program.get(address)
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
    other = row.distribution[1].code
    choices = [{}, {"side": "lowers"}, {"grid": "native"}, {"against": other}, {"scale": "absolute", "class": other}]
    pictures = set()
    for choice in choices:
        answer = alice.call("GET", f"/predictions/{row.pk}/heat.png", choice)
        assert answer["Content-Type"] == "image/png"
        pictures.add(answer.content)
    assert len(pictures) == len(choices)


def facts(answer: Any) -> dict[str, dict[str, Any]]:
    assert answer.status_code == 200, answer.content
    return {fact["check"]: fact for fact in answer.json()["checks"]}


def test_what_is_known_about_a_map_is_told_check_by_check(alice, row):
    path = f"/predictions/{row.pk}/explanations"
    report = [{"check": "engine", "passed": True, "detail": "the same on 12 pictures: within 7e-06; 20 ms against 53"}]
    ModelRecord.objects.update(report=report)
    found = facts(alice.call("GET", path))
    assert [*found] == ["engine", "not constant", "contrast", "randomisation", "lesion"]
    assert [fact["passed"] for fact in found.values()] == [True, True, None, None, None]
    assert found["engine"]["detail"] == "At admission: the same on 12 pictures: within 7e-06."
    assert "no common zero" in found["contrast"]["detail"]
    assert "Not measured yet" in found["randomisation"]["detail"]
    ModelRecord.objects.update(report=[report[0] | {"passed": False}])
    assert facts(alice.call("GET", path))["engine"]["passed"] is False
    Prediction.objects.filter(pk=row.pk).update(engine="native")
    assert facts(alice.call("GET", path))["engine"]["passed"] is None


def test_a_map_that_is_the_same_everywhere_is_told_and_named(alice, row):
    path, values = f"/predictions/{row.pk}/explanations", np.random.default_rng(0).normal(size=(7, 4, 4))
    top = SEVEN.index(row.top_code)
    values[top - 1] = 0.5
    Explanation.objects.update(maps=values.astype("<f4").tobytes())
    found = facts(alice.call("GET", path))["not constant"]
    assert found["passed"] is True
    assert row.model.class_names[SEVEN[top - 1]].lower() in found["detail"]
    values[top] = 0
    Explanation.objects.update(maps=values.astype("<f4").tobytes())
    found = facts(alice.call("GET", path))["not constant"]
    assert found["passed"] is False
    assert row.model.class_names[row.top_code].lower() in found["detail"]


def test_a_contrast_is_read_as_numbers_and_told_from_no_contrast(alice, row):
    path = f"/predictions/{row.pk}/explanations"
    signed = Explanation.objects.get().signed_maps()
    answer = alice.call("GET", path, {"against": "nv"})
    found = answer.json()
    assert found["against"] == "nv"
    assert set(found["maps"]) == set(SEVEN) - {"nv"}
    shown = np.array(found["maps"]["mel"]) - np.array(found["lowers"]["mel"])
    assert np.allclose(shown, signed["mel"] - signed["nv"], atol=1e-6)
    assert facts(answer)["contrast"]["passed"] is True
    Explanation.objects.update(maps=np.tile(np.arange(16, dtype="<f4"), 7).tobytes())
    assert facts(alice.call("GET", path, {"against": "nv"}))["contrast"]["passed"] is False
    assert "'tea'" in problem(alice.call("GET", path, {"against": "tea"}), 422)["detail"]
    alice.call("GET", path, {"method": "eigen-cam"})
    work()
    assert "not linear" in problem(alice.call("GET", path, {"method": "eigen-cam", "against": "nv"}), 422)["detail"]
    other = facts(alice.call("GET", path, {"method": "eigen-cam"}))
    assert (other["contrast"]["passed"], other["lesion"]["passed"]) == (None, None)
    assert "Grad-CAM only" in other["randomisation"]["detail"]


def test_numbers_are_read_with_a_session_too(client, row):
    client.force_login(make_user("alice"))
    assert client.get(f"/api/v1/predictions/{row.pk}/explanations").status_code == 200
    assert client.post(f"/api/v1/predictions/{row.pk}/explanations").status_code == 401
