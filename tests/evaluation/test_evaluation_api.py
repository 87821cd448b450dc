"""Data sets, evaluations and comparisons as programs use them."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from evaluation.models import Comparison, DataSet, Evaluation
from evaluation.services.comparisons.compare import run_comparison
from evaluation.services.data_sets.importing import run_import
from tests.factories.data_sets import make_data_set, zipped
from tests.factories.evaluations import compared, make_eight, queued_scoring, scored_evaluation
from tests.factories.rows import SEVEN, make_model, make_user
from tests.pictures import picture

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quiet", "no_figures", "few_replicates")]
LABELS = [SEVEN[place % 7] for place in range(21)]


@pytest.fixture
def data_set(db):
    return make_data_set(LABELS)


@pytest.fixture
def model(db):
    return make_model()


def test_a_data_set_is_uploaded_imported_and_read(alice):
    archive = SimpleUploadedFile("set.zip", zipped({"nv/a.jpg": picture(0), "mel/b.jpg": picture(1)}))
    answer = alice.call("POST", "/datasets", {"name": "Clinic A", "archive": archive})
    assert (answer.status_code, answer.json()["state"]) == (202, "queued")
    run_import(data_set_id=int(answer.json()["id"]))
    found = alice.program.get(answer["Location"]).json()
    assert (found["state"], found["images"], found["classes"]) == ("done", 2, {"mel": 1, "nv": 1})


def test_a_data_set_without_archive_and_one_that_is_no_zip_are_refused(alice):
    assert alice.call("POST", "/datasets", {"name": "Clinic A"}).status_code == 422
    answer = alice.call("POST", "/datasets", {"name": "A", "archive": SimpleUploadedFile("a.zip", b"no zip")})
    if answer.status_code == 202:
        run_import(data_set_id=int(answer.json()["id"]))
        assert alice.program.get(answer["Location"]).json()["state"] == "failed"
    else:
        assert answer.status_code == 422


def test_an_evaluation_is_started_cancelled_and_tried_again(alice, data_set, model):
    answer = alice.post_json("/evaluations", {"dataset": str(data_set.pk), "model": str(model.pk)})
    assert (answer.status_code, answer.json()["total"], answer.json()["sheets"]) == (202, 21, None)
    where = answer["Location"].removeprefix("/api/v1")
    assert alice.call("POST", f"{where}/retry").status_code == 409
    assert alice.call("POST", f"{where}/cancel").json()["state"] == "cancelled"
    assert alice.call("POST", f"{where}/cancel").status_code == 409
    again = alice.call("POST", f"{where}/retry")
    assert (again.status_code, again.json()["state"]) == (202, "queued")
    assert alice.call("DELETE", where).status_code == 204
    assert not Evaluation.objects.exists()


@pytest.mark.parametrize("body", [{}, {"dataset": "1"}, {"dataset": [], "model": {}}, []])
def test_an_evaluation_of_a_wrong_shape_is_refused(alice, body):
    assert alice.post_json("/evaluations", body).status_code == 422


def test_a_data_set_that_is_not_imported_yet_is_refused(alice, model):
    waiting = DataSet.objects.create(owner=make_user(), name="new")
    answer = alice.post_json("/evaluations", {"dataset": str(waiting.pk), "model": str(model.pk)})
    assert answer.status_code == 422
    assert "choose a data set whose import is done" in answer.content.decode()


def test_a_done_evaluation_has_both_sheets_and_all_predictions(alice, data_set, model):
    evaluation = scored_evaluation(data_set, model)
    found = alice.call("GET", f"/evaluations/{evaluation.pk}").json()
    assert (found["state"], found["error"], found["failed_images"]) == ("done", None, 0)
    assert {"accuracy", "balanced_accuracy", "macro_f1", "macro_auc", "log_loss", "brier", "ece", "per_class"} <= set(
        found["sheets"]["textbook"]
    )
    textbook, isic = found["sheets"]["textbook"], found["sheets"]["isic"]
    numbers = {"accuracy", "balanced_accuracy", "macro_f1", "macro_auc", "log_loss", "brier", "ece"}
    for sheet in (textbook, isic):
        assert numbers | {"per_class", "confusion", "averaged_over"} <= sheet.keys()
        assert {"value", "low", "high"} <= sheet["balanced_accuracy"].keys()
        assert all("value" in row["auc"] and "value" in row["precision"] for row in sheet["per_class"].values())
    assert isic["balanced_accuracy"] == {"value": textbook["balanced_accuracy"]["value"], "low": None, "high": None}
    assert isic["per_class"]["mel"]["f1"] == isic["per_class"]["mel"]["dice"]
    assert isic["confusion"] == textbook["confusion"]
    assert found["seen"]["how"] == "the training data is not declared"
    answer = alice.program.get(found["predictions"])
    lines = b"".join(answer).decode().splitlines()
    assert lines[0].lstrip("\ufeff") == "image,lesion_id,truth,truth_mapped,predicted," + ",".join(SEVEN)
    assert len(lines) == 22


def test_a_comparison_is_queued_computed_and_deleted(alice, data_set, model):
    ids = [str(scored_evaluation(data_set, row).pk) for row in (model, make_eight())]
    answer = alice.post_json("/comparisons", {"evaluations": ids, "taxonomy": "ham7"})
    assert (answer.status_code, answer.json()["images"]) == (202, None)
    run_comparison(comparison_id=int(answer.json()["id"]))
    found = alice.program.get(answer["Location"]).json()
    assert (found["state"], found["images"], found["evaluations"]) == ("done", 21, ids)
    assert [row["evaluation"] for row in found["models"]] == ids
    for taxonomy in ("isic8", "nothing"):
        refused = alice.post_json("/comparisons", {"evaluations": ids, "taxonomy": taxonomy})
        assert refused.status_code == 422
    assert alice.post_json("/comparisons", {"evaluations": ids[:1], "taxonomy": "ham7"}).status_code == 422
    assert alice.program.delete(answer["Location"]).status_code == 204
    assert not Comparison.objects.exists()


@pytest.fixture
def everything(data_set, model):
    first, second = scored_evaluation(data_set, model), scored_evaluation(data_set, make_eight())
    return [first, second, compared(first, second, taxonomy="ham7")]


def test_somebody_elses_are_not_found(charlie, everything, data_set, model):
    evaluation, second, comparison = everything
    for path in (f"/datasets/{data_set.pk}", f"/evaluations/{evaluation.pk}", f"/comparisons/{comparison.pk}"):
        assert charlie.call("GET", path).status_code == 404
        assert charlie.call("DELETE", path).status_code == 404
    for path in (f"/datasets/{data_set.pk}", f"/evaluations/{evaluation.pk}"):
        assert charlie.call("POST", f"{path}/cancel").status_code == 404
    assert charlie.call("POST", f"/evaluations/{evaluation.pk}/retry").status_code == 404
    assert charlie.call("GET", f"/evaluations/{evaluation.pk}/predictions.csv").status_code == 404
    assert charlie.post_json(f"/datasets/{data_set.pk}/mapping", {}).status_code == 404
    asked = {"evaluations": [str(evaluation.pk), str(second.pk)], "taxonomy": "ham7"}
    assert charlie.post_json("/comparisons", asked).status_code == 404
    asked = {"dataset": str(data_set.pk), "model": str(model.pk)}
    assert charlie.post_json("/evaluations", asked).status_code == 404
    for name in ("datasets", "evaluations", "comparisons"):
        assert charlie.call("GET", f"/{name}").json() == {"items": [], "next": None}


def test_what_is_published_is_read_by_all_and_changed_by_none(charlie, everything, data_set):
    DataSet.objects.update(published=True)
    evaluation, _, comparison = everything
    for path in (f"/datasets/{data_set.pk}", f"/evaluations/{evaluation.pk}", f"/comparisons/{comparison.pk}"):
        assert charlie.call("GET", path).status_code == 200
        assert charlie.call("DELETE", path).status_code == 404
    assert charlie.call("POST", f"/evaluations/{evaluation.pk}/retry").status_code == 404


@pytest.mark.parametrize("id", ["0", "x", "9" * 30, "-1"])
def test_an_id_that_is_none_is_not_found(alice, id):
    for name in ("datasets", "evaluations", "comparisons"):
        assert alice.call("GET", f"/{name}/{id}").status_code == 404


def test_lists_go_on_at_next(alice, data_set, model):
    queued = queued_scoring(data_set, model)
    Evaluation.objects.bulk_create(
        Evaluation(owner=queued.owner, data_set=data_set, model=model, total=21) for _ in range(300)
    )
    seen, path = [], "/api/v1/evaluations"
    while path:
        answer = alice.program.get(path).json()
        seen += [row["id"] for row in answer["items"]]
        path = answer["next"]
    assert len(set(seen)) == len(seen) == 301


def test_a_deleted_data_set_is_gone(alice, everything, data_set):
    assert alice.call("DELETE", f"/datasets/{data_set.pk}").status_code == 204
    assert not any(kind.objects.exists() for kind in (DataSet, Evaluation, Comparison))
