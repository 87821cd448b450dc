"""A model's page: its admission report, its versions and what changed, its card as a file."""

import pytest
import yaml
from django.urls import reverse

from classifier.models import ModelRecord
from tests.factories.rows import make_model

REPORT = [
    {"check": "content", "passed": True, "detail": "zip archive, 86,237,188 bytes"},
    {"check": "origin", "passed": True, "detail": "Keras archive, saved by Keras 3.3.3"},
    {"check": "repair", "passed": True, "detail": "groups taken off DepthwiseConv2D"},
    {"check": "assumed", "passed": True, "detail": "assumed: input.color is rgb"},
    {"check": "scaling", "passed": True, "detail": "the model itself scales pixels, in normalization"},
    {"check": "same", "passed": True, "detail": "within 1e-07"},
    {"check": "brand-new", "passed": False, "detail": "a check of a later version"},
    {"check": "plumbing", "passed": True, "detail": "the sentence of what the table shows"},
]
MEASURED = {
    "predict_ms": 120.0,
    "process_bytes": 972_000_000,
    "stages_s": {"convert": 20.1, "prove": 22.2},
    "plumbing": [
        {"what": "resized with antialiasing", "largest": 0.0893, "changed": 0, "pictures": 6},
        {"what": "another decoder", "largest": 0.3811, "changed": 2, "pictures": 6},
    ],
}


def text_of(client, record, **query) -> str:
    return client.get(record.get_absolute_url(), query).content.decode()


def test_the_report_shows_values_by_group_and_the_largest_movement_first(alice):
    page = text_of(alice, make_model(report=REPORT, measured=MEASURED))
    for words in (
        "saved by Keras 3.3.3",
        "Sensitivity to plumbing",
        "another in 2 of 6",
        "the same in all",
        "Also looked at",
        "a check of a later version",
        "42.3 s",
        "5 passed",
        "1 assumed",
        "1 noted",
    ):
        assert words in page, words
    assert page.index("0.381") < page.index("0.089")
    assert "the sentence of what the table shows" not in page
    assert "assumed: input.color" not in page


def test_an_old_record_without_measurements_still_shows_its_report(alice):
    page = text_of(alice, make_model(report=REPORT))
    assert "the sentence of what the table shows" in page
    assert "From file to answer" not in page


def test_the_reason_of_a_refusal_is_the_last_line(administrator):
    report = [REPORT[0], {"check": "classes", "passed": False, "detail": "7 outputs and no names"}]
    error = {"code": "needs-classes", "message": "7 outputs and no names", "hint": "Name them."}
    page = text_of(administrator, make_model(state="refused", bundle="", sha256="", report=report, error=error))
    assert "1 refused" in page
    assert "noted" not in page


def test_what_changed_between_two_versions(alice):
    first = make_model("Net", report=REPORT, licence="MIT")
    second = make_model("Net", version="2", sha256="f" * 64, report=REPORT[:2], licence="MIT")
    second.manifest["input"] |= {"width": 300}
    ModelRecord.objects.filter(pk=second.pk).update(manifest=second.manifest)
    page = text_of(alice, second)
    assert "Changed since version" in page
    rows = page[page.index("Changed since version") :]
    for words in ("weights sha256", "f" * 64, first.sha256, "input.width", "254", "300", "repair"):
        assert words in rows, words
    assert "input.height" not in rows
    assert "licence" not in rows[: rows.index("</section>")]
    assert "Changed since" not in text_of(alice, first)
    assert "Changed since" in text_of(alice, first, against=second.pk)


def test_the_same_file_again_says_that_nothing_changed(alice):
    make_model("Net", report=REPORT)
    assert "Nothing: weights, manifest and report are the same" in text_of(
        alice, make_model("Net", version="2", report=REPORT)
    )


def test_the_card_is_a_file_that_the_hub_reads(alice):
    record = make_model(
        "Net: the “best” one", licence="CC BY-NC 4.0 (HAM10000)", card="## Limits\n\nMany.", report=REPORT
    )
    record.manifest["training_data"] = [{"name": "HAM10000", "images": None}]
    ModelRecord.objects.filter(pk=record.pk).update(manifest=record.manifest)
    answer = alice.get(reverse("model_card", args=[record.pk]))
    assert answer["Content-Type"].startswith("text/markdown")
    assert answer["Content-Disposition"] == 'attachment; filename="net-the-best-one-1-README.md"'
    empty, front, body = answer.content.decode().split("---\n", 2)
    told = yaml.safe_load(front)
    assert (empty, told["license"], told["library_name"]) == ("", "cc-by-nc-4.0", "keras")
    assert told["pipeline_tag"] == "image-classification"
    assert told["training_data"] == ["HAM10000"]
    for words in (
        "# Net: the “best” one, version 1",
        "## Limits",
        "| mel | Melanoma | yes |",
        "Not a diagnosis",
        record.sha256,
    ):
        assert words in body


def test_a_stranger_gets_no_card_of_a_refused_model(alice):
    refused = make_model(state="refused", bundle="", sha256="", error={"code": "x", "message": "No.", "hint": ""})
    assert alice.get(reverse("model_card", args=[refused.pk])).status_code == 404


def test_a_check_in_progress_asks_for_itself_until_it_is_decided(administrator):
    record = make_model(state="checking", bundle="", sha256="")
    fragment = reverse("model_admission", args=[record.pk])
    assert f'hx-get="{fragment}"' in text_of(administrator, record)
    assert "HX-Refresh" not in administrator.get(fragment)
    ready = make_model("Ready")
    assert administrator.get(reverse("model_admission", args=[ready.pk]))["HX-Refresh"] == "true"


@pytest.mark.parametrize("name", ["model_choose", "model_retire"])
def test_nothing_changes_by_looking(administrator, name):
    assert administrator.get(reverse(name, args=[make_model().pk])).status_code == 405
