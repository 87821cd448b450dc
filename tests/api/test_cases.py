"""POST, GET and DELETE /cases."""

from django.core.files.uploadedfile import SimpleUploadedFile

from classifier.models import Case, Prediction
from tests.factories.rows import make_model
from tests.pictures import picture


def file(content: bytes, name: str = "lesion.jpg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def problem(answer, status: int) -> dict:
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    document = answer.json()
    assert set(document) == {"type", "title", "status", "detail", "errors"}
    return document


def test_a_submission_is_accepted_and_can_be_followed(alice, model):
    fields = {
        "images": [file(picture())],
        "models": [model.pk],
        "age": "44",
        "sex": "Male",
        "site": "SCALP",
        "title": "Arm",
    }
    answer = alice.call("POST", "/cases", fields)
    assert answer.status_code == 202
    case = answer.json()
    assert answer["Location"] == f"/api/v1/cases/{case['id']}"
    assert (case["state"], case["sex"], case["site"], case["age"]) == ("running", "male", "scalp", 44.0)
    assert alice.program.get(answer["Location"]).json()["id"] == case["id"]


def test_broken_images_beside_good_ones_are_named(alice, model):
    images = [file(picture()), file(b"text", "notes.jpg")]
    case = alice.call("POST", "/cases", {"images": images, "models": [model.pk]}).json()
    assert [entry["file"] for entry in case["refused"]] == ["notes.jpg"]
    assert len(case["images"]) == 1


def test_no_good_image_is_a_problem(alice, model):
    document = problem(
        alice.call("POST", "/cases", {"images": [file(b"text", "notes.jpg")], "models": [model.pk]}), 422
    )
    assert "notes.jpg" in document["errors"][0]["message"]
    assert not Case.objects.exists()


def test_an_unknown_word_names_the_list(alice, model):
    fields = {"images": [file(picture())], "models": [model.pk]}
    assert "head/neck" in problem(alice.call("POST", "/cases", fields | {"site": "elbow"}), 422)["detail"]
    problem(alice.call("POST", "/cases", {"images": [file(picture())], "models": [model.pk], "sex": "x"}), 422)
    problem(alice.call("POST", "/cases", {"images": [file(picture())], "models": [model.pk], "age": "-3"}), 422)
    problem(alice.call("POST", "/cases", {"images": [file(picture())], "models": [model.pk], "reference": "zzz"}), 422)


def test_models_that_cannot_predict_are_problems(alice, model):
    retired = make_model("Old", state="retired")
    problem(alice.call("POST", "/cases", {"images": [file(picture())], "models": [retired.pk]}), 422)
    for unknown in ("99999", "abc", "9" * 40):
        problem(alice.call("POST", "/cases", {"images": [file(picture())], "models": [unknown]}), 404)
    problem(alice.call("POST", "/cases", {"images": [file(picture())]}), 422)


def test_a_body_above_the_limit_is_too_large(alice, model):
    answer = alice.program.generic(
        "POST", "/api/v1/cases", b"x", content_type="multipart/form-data; boundary=b", CONTENT_LENGTH=str(10**11)
    )
    assert "limit" in problem(answer, 413)["detail"]


def test_a_body_that_is_no_form_is_a_problem(alice, model):
    for content_type in ("multipart/form-data", "application/json", "text/plain"):
        problem(alice.program.generic("POST", "/api/v1/cases", b"\xff\x00{", content_type=content_type), 422)


def test_a_list_has_pages(alice, model):
    for seed in range(3):
        alice.call("POST", "/cases", {"images": [file(picture(seed))], "models": [model.pk], "title": f"n{seed}"})
    first = alice.call("GET", "/cases", {"limit": 2}).json()
    assert [case["title"] for case in first["items"]] == ["n2", "n1"]
    second = alice.program.get(first["next"]).json()
    assert [case["title"] for case in second["items"]] == ["n0"]
    assert second["next"] is None


def test_a_list_can_be_narrowed(alice, case):
    assert len(alice.call("GET", "/cases", {"state": "running", "q": "lesion"}).json()["items"]) == 1
    assert alice.call("GET", "/cases", {"state": "done"}).json()["items"] == []
    assert alice.call("GET", "/cases", {"from": "2020-01-01", "to": "2020-01-02"}).json()["items"] == []
    for wrong in ({"state": "asleep"}, {"from": "x"}, {"limit": 0}, {"cursor": "?"}, {"model": "nope"}, {"q": "\0"}):
        problem(alice.call("GET", "/cases", wrong), 422)


def test_deleting_takes_everything_along(alice, case):
    assert alice.call("DELETE", f"/cases/{case.pk}").status_code == 204
    problem(alice.call("GET", f"/cases/{case.pk}"), 404)
    assert not Prediction.objects.exists()


def test_an_export_says_where_it_comes_from(alice, case):
    exported = alice.call("GET", f"/cases/{case.pk}/export.json").json()
    assert "Not a diagnosis" in exported["disclaimer"]
    assert "provenance" in exported["images"][0]["predictions"][0]


def test_somebody_elses_things_do_not_exist(charlie, case):
    row = Prediction.objects.get()
    reads = [f"/cases/{case.pk}", f"/cases/{case.pk}/export.json", f"/predictions/{row.pk}/explanations"]
    reads += [f"/predictions/{row.pk}/heat.png", f"/images/{row.image_id}/pixels.png"]
    for path in reads:
        problem(charlie.call("GET", path), 404)
    for path in (f"/predictions/{row.pk}/cancel", f"/predictions/{row.pk}/retry"):
        problem(charlie.call("POST", path), 404)
    problem(charlie.call("DELETE", f"/cases/{case.pk}"), 404)
    assert charlie.call("GET", "/cases").json()["items"] == []
    assert Case.objects.filter(pk=case.pk).exists()


def test_an_export_of_an_old_prediction_says_what_was_known_then(alice, case):
    """The first portals computed on the processor only, and named no device; what they noted besides stays."""
    used = {"name": "Xception", "version": "1", "sha256": "0" * 64, "manifest": {"classes": ["nv"]}}
    stored = {"model": used, "image": {"sha256": "1" * 64, "changes": []}, "clinical": None, "preprocessing": 1}
    stored |= {"engine": "native", "software": {"python": "3.11.4"}, "finished": "2026-11-24T12:00:00+00:00"}
    Prediction.objects.update(provenance=stored | {"engine_in_words": "Keras, fp32"})
    exported = alice.call("GET", f"/cases/{case.pk}/export.json").json()
    found = exported["images"][0]["predictions"][0]["provenance"]
    assert found == stored | {"engine_in_words": "Keras, fp32", "device": "cpu", "version": 1}
