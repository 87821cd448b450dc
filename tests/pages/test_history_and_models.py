"""Finding cases again, and reading about models."""

import pytest

from classifier.models import ModelRecord
from tests.factories.rows import make_case, make_done_prediction, make_image, make_model, make_user

pytestmark = pytest.mark.django_db


def some_cases(number: int, **fields):
    model = ModelRecord.objects.first() or make_model()
    for place in range(number):
        image = make_image(make_case(make_user("alice"), title=f"Case {place:03}", **fields), thumbnail="t", pixels="p")
        make_done_prediction(image, model, top="mel" if place % 2 else "nv")


def text(client, **parameters) -> str:
    return client.get("/cases/", parameters).content.decode()


def test_an_empty_history_leads_to_the_first_case(alice):
    assert "Submit the first one" in text(alice)


def test_cases_are_found_by_word_diagnosis_model_state_and_day(alice):
    some_cases(4)
    assert "Case 002" in text(alice, q="case 002")
    assert "Case 001" not in text(alice, q="case 002")
    assert "Case 000" not in text(alice, diagnosis="mel")
    assert "No case fits" in text(alice, state="failed")
    assert "No case fits" in text(alice, to="2020-01-01")
    assert "Case 003" in text(alice, model=ModelRecord.objects.get().pk, state="done")


def test_filters_are_chips_that_can_be_taken_away(alice):
    some_cases(1)
    page = text(alice, q="case", diagnosis="nv")
    assert "Diagnosis: <b>Melanocytic nevus</b>" in page
    assert 'href="?q=case"' in page


@pytest.mark.parametrize(
    ("wrong", "status"),
    [({"state": "asleep"}, 422), ({"from": "yesterday"}, 422), ({"model": "x"}, 422), ({"cursor": "???"}, 200)],
)
def test_a_wrong_filter_is_no_crash(alice, wrong, status):
    assert alice.get("/cases/", wrong).status_code == status


def test_the_number_of_queries_does_not_grow(alice, django_assert_max_num_queries):
    some_cases(1)
    alice.get("/cases/")
    with django_assert_max_num_queries(12):
        alice.get("/cases/")
    some_cases(24)
    with django_assert_max_num_queries(12):
        alice.get("/cases/")


def test_a_long_history_has_pages(alice):
    some_cases(30)
    first = alice.get("/cases/")
    assert 'rel="next"' in first.content.decode()
    following = alice.get("/cases/", {"cursor": first.context["page"].next}).content.decode()
    assert "Case 004" in following
    assert 'rel="prev"' in following


def test_an_export_defuses_formulas(alice):
    some_cases(1)
    make_user("alice").cases.update(title="=1+1", note="@sum")
    csv = b"".join(alice.get("/cases/export.csv").streaming_content).decode("utf-8-sig")
    assert ",'=1+1," in csv
    assert ",'@sum," in csv
    assert ",0.7," in csv
    assert "Not a diagnosis" in csv


def test_an_export_of_a_selection_holds_nothing_else(alice):
    import json

    some_cases(3)
    chosen = make_user("alice").cases.first()
    exported = json.loads(b"".join(alice.get("/cases/export.json", {"id": chosen.pk}).streaming_content))
    assert [case["id"] for case in exported["cases"]] == [str(chosen.pk)]
    assert "provenance" in exported["cases"][0]["images"][0]["predictions"][0]


def test_the_models_page_shows_what_is_for_this_person(alice, administrator):
    make_model("Good")
    make_model("Bad", state="refused", bundle="", sha256="", error={"code": "x", "message": "No.", "hint": ""})
    assert "Bad" not in alice.get("/models/").content.decode()
    assert "Bad" in administrator.get("/models/").content.decode()
    assert alice.get(f"/models/{ModelRecord.objects.get(name='Bad').pk}/").status_code == 404


def test_a_card_is_markdown_and_nothing_else(alice):
    card = "# Title\n\n<script>alert(1)</script> [x](javascript:alert(1)) ![p](http://evil/p.png) **bold**"
    page = alice.get(make_model(card=card).get_absolute_url()).content.decode()
    assert "<strong>bold</strong>" in page
    assert "<script>alert" not in page
    assert 'href="javascript' not in page
    assert "evil/p.png" not in page


def test_a_models_page_shows_input_classes_and_report(alice):
    model = make_model(report=[{"check": "finite", "passed": True, "detail": "6 pictures"}], licence="MIT")
    model.manifest["input"] |= {"resize": "letterbox", "range": [0, 1], "mean": [0, 0, 0], "std": [1, 1, 1]}
    ModelRecord.objects.filter(pk=model.pk).update(manifest=model.manifest)
    page = alice.get(model.get_absolute_url()).content.decode()
    for words in ("letterbox", "254 × 254", "Dermatofibroma", "6 pictures", "MIT"):
        assert words in page


@pytest.mark.parametrize(
    "path", ["/", "/about/", "/cases/", "/cases/new/", "/models/", "/api/v1/docs", "/accounts/tokens/"]
)
def test_every_page_opens_and_says_what_it_is_not(alice, path):
    some_cases(2)
    answer = alice.get(path)
    assert answer.status_code == 200
    assert "Not a diagnosis" in answer.content.decode()
