"""Evaluations in the fast lane: an administrator's choice where it was measured, named everywhere, never compared."""

import io
import json
import zipfile

import numpy as np
import pytest

from classifier.inference import engines
from classifier.inference.engines import FAST
from evaluation.models import Evaluation, Inference
from evaluation.services.comparisons.start import start_comparison
from evaluation.services.evaluations import stored_predictions
from evaluation.services.evaluations.capsule import capsule, metrics_document
from evaluation.services.evaluations.reduced_precision import change
from evaluation.services.evaluations.run import run_evaluation, start_evaluation
from evaluation.services.evaluations.score import run_scoring
from skinsite.jobs import State
from skinsite.refusal import Refusal
from tests.api.conftest import Program, forget_requests  # noqa: F401
from tests.evaluation.made import compared, make_data_set
from tests.factories import SEVEN, make_user
from tests.small_bundles import FAST as MEASURED
from tests.small_bundles import small_model

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quiet", "few_replicates")]
IN_WORDS = "OpenVINO, bf16: faster, less exact"
LABELS = [SEVEN[place % 7] for place in range(14)]


@pytest.fixture
def root():
    return make_user("root", is_staff=True, is_superuser=True)


@pytest.fixture
def administrator(root) -> Program:
    return Program("root")


@pytest.fixture
def data_set(root):
    return make_data_set(LABELS, pictures=True, owner=root)


@pytest.fixture
def model():
    return small_model(fast=MEASURED)


@pytest.fixture
def evaluated(data_set, root, no_figures):
    def run(model, engine: str = "") -> Evaluation:
        made = start_evaluation(owner=root, data_set=data_set, model=model, engine=engine)
        run_evaluation(evaluation_id=made.pk)
        run_scoring(evaluation_id=made.pk)
        return Evaluation.objects.select_related("model", "data_set", "owner").get(pk=made.pk)

    return run


def asked(program: Program, data_set, model, engine: str):
    return program.post_json("/evaluations", {"dataset": str(data_set.pk), "model": str(model.pk), "engine": engine})


def test_an_administrator_asks_for_it_by_the_api(administrator, data_set, model):
    answer = asked(administrator, data_set, model, FAST)
    assert (answer.status_code, answer.json()["engine"], answer.json()["engine_in_words"]) == (202, FAST, IN_WORDS)
    assert asked(administrator, data_set, model, "").json()["engine"] == "onnxruntime"


def test_an_ordinary_person_is_forbidden_to(data_set, model):
    own = make_data_set(LABELS, owner=make_user("alice"), name="Own")
    answer = asked(Program("alice"), own, model, FAST)
    assert answer.status_code == 403
    assert "Only an administrator" in answer.json()["detail"]
    assert not Evaluation.objects.exists()


@pytest.mark.parametrize(("engine", "words"), [(FAST, "did not measure the fast lane"), ("int8", "not answered by")])
def test_an_engine_that_the_model_does_not_have_is_refused(administrator, data_set, engine, words):
    answer = asked(administrator, data_set, small_model("Unmeasured"), engine)
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["field"] == "engine"
    assert words in error["message"]


def test_the_form_offers_it_to_administrators_where_it_was_measured(client, root, data_set):
    small_model("Unmeasured")
    client.force_login(root)
    assert "fast_lane" not in client.get("/evaluations/new/").content.decode()
    small_model(fast=MEASURED)
    page = client.get("/evaluations/new/").content.decode()
    assert IN_WORDS in page
    assert "Measured for Small (version 1)." in page
    client.force_login(make_user("alice"))
    assert "fast_lane" not in client.get("/evaluations/new/").content.decode()


def test_the_form_starts_it_and_names_models_without_it(client, root, data_set, model):
    client.force_login(root)
    other = small_model("Unmeasured")
    chosen = {"dataset": data_set.pk, "models": [model.pk, other.pk], "fast_lane": "on"}
    answer = client.post("/evaluations/new/", chosen)
    assert answer.status_code == 422
    assert "not measured at admission: Unmeasured (version 1)" in answer.content.decode()
    assert not Evaluation.objects.exists()
    assert client.post("/evaluations/new/", chosen | {"models": [model.pk]}).status_code == 302
    assert Evaluation.objects.get().engine == FAST


def test_its_answers_are_stored_apart_from_those_of_fp32(evaluated, model, fast_lane):
    lane, exact = evaluated(model, FAST), evaluated(model)
    assert (lane.state, exact.state) == (State.DONE, State.DONE)
    assert (lane.computed, exact.computed, exact.reused) == (14, 14, 0)
    assert Inference.objects.count() == 28


def test_without_bf16_it_fails_with_the_reason_and_what_to_do(evaluated, model, monkeypatch):
    monkeypatch.setattr(engines, "has_bf16", lambda: False)
    failed = evaluated(model, FAST)
    assert (failed.state, failed.error["code"], failed.computed) == (State.FAILED, "engine-missing", 0)
    assert "by openvino-bf16 here: this worker's processor has no bf16." in failed.error["message"]
    assert "avx512_bf16" in failed.error["hint"]


def shifted(evaluation: Evaluation) -> None:
    """Write answers into the lane that differ by 0.25 in one image, which changes its class."""
    row = Inference.objects.filter(recipe=stored_predictions.recipe(evaluation.model, FAST)).earliest("pk")
    values = np.frombuffer(bytes(row.probabilities), "<f8").copy()
    values[:] = np.where(np.arange(7) == (values.argmax() + 1) % 7, 0.7, 0.05)
    Inference.objects.filter(pk=row.pk).update(probabilities=stored_predictions.packed(values))


def test_its_page_shows_what_it_changed_against_fp32(evaluated, model, root, client, fast_lane):
    lane = evaluated(model, FAST)
    client.force_login(root)
    assert "without the fast lane too" in client.get(lane.get_absolute_url()).content.decode()
    exact = evaluated(model)
    assert change(exact, root) is None
    same = change(lane, root)
    assert same is not None
    assert (same.against, same.images, same.changed) == (exact, 14, 0)
    assert same.differs < 1e-4
    shifted(lane)
    found = change(lane, root)
    assert found is not None
    assert found.changed == 1
    assert 0.2 < found.differs < 1
    lane.document["textbook"]["accuracy"]["value"] = 0.5
    exact_accuracy = exact.document["textbook"]["accuracy"]["value"]
    lane.save()
    figure = change(lane, root).figures[0]
    assert (figure["lane"], figure["exact"], figure["difference"]) == (0.5, exact_accuracy, 0.5 - exact_accuracy)
    page = client.get(lane.get_absolute_url()).content.decode()
    assert "What the fast lane changed" in page
    assert "1 of 14" in page
    assert f"engine {IN_WORDS}" in page
    assert change(lane, make_user("alice")) is None, "somebody else's evaluation is not looked at"


@pytest.mark.parametrize("path", ["/evaluations/", "/", "/comparisons/new/", "{set}", "{model}"])
def test_lists_name_the_lane(evaluated, model, root, client, fast_lane, path):
    lane = evaluated(model, FAST)
    client.force_login(root)
    address = path.format(set=lane.data_set.get_absolute_url(), model=model.get_absolute_url())
    assert IN_WORDS in client.get(address).content.decode()


def test_exports_name_the_lane(evaluated, model, root, client, fast_lane):
    lane = evaluated(model, FAST)
    assert metrics_document(lane)["engine_in_words"] == IN_WORDS
    with zipfile.ZipFile(io.BytesIO(capsule(lane))) as archive:
        assert "computed by OpenVINO, bf16: faster, less exact than fp32" in archive.read("methods.txt").decode()
        assert json.loads(archive.read("metrics.json"))["engine"] == FAST
    client.force_login(root)
    for name in ("predictions.csv", "submission.csv", "metrics.json", "capsule.zip"):
        answer = client.get(f"{lane.get_absolute_url()}{name}")
        assert f"-{lane.pk}-{FAST}." in answer["Content-Disposition"], name


def test_evaluations_of_different_precision_are_not_compared(evaluated, model, administrator, fast_lane):
    lane, exact, other = evaluated(model, FAST), evaluated(model), evaluated(model, FAST)
    ids = [str(lane.pk), str(exact.pk)]
    answer = administrator.post_json("/comparisons", {"evaluations": ids, "taxonomy": "ham7"})
    assert answer.status_code == 422
    assert "engines of different precision cannot be compared" in answer.json()["detail"]
    with pytest.raises(Refusal, match="different precision"):
        start_comparison(owner=lane.owner, evaluations=[exact, other], taxonomy_name="ham7")
    both = compared(lane, other, taxonomy="ham7")
    assert both.state == State.DONE, both.error
    assert all(IN_WORDS in row["name"] for row in both.document["models"])
