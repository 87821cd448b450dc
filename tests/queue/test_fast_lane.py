"""Cases in the fast lane: where an administrator chose it and the worker's processor has bf16, and named everywhere."""

import io

import pytest

from classifier.inference import engines
from classifier.models import ExplanationJob, ModelRecord, Prediction
from classifier.services.cases import export
from classifier.services.cases.create import Upload, create_case
from classifier.services.maps.explain import ask
from classifier.services.predictions.predict import run_prediction
from skinsite.jobs import State
from skinsite.refusal import Refusal
from tests.api.conftest import Program
from tests.factories import make_user
from tests.pictures import picture
from tests.small_bundles import FAST, small_model

pytestmark = pytest.mark.django_db
IN_WORDS = "OpenVINO, bf16: faster, less exact"


def predicted(model: ModelRecord) -> Prediction:
    case = create_case(owner=make_user(), uploads=[Upload("a.jpg", io.BytesIO(picture()))], models=[model])
    row = Prediction.objects.get(image__case=case)
    run_prediction(prediction_id=row.pk)
    row.refresh_from_db()
    assert row.state == State.DONE, row.error
    return row


@pytest.fixture
def row(fast_lane) -> Prediction:
    return predicted(small_model(fast=FAST, in_fast_lane=True))


def test_a_model_is_answered_in_fp32_unless_an_administrator_chose_the_lane(fast_lane):
    model = small_model(fast=FAST)
    exact = predicted(model)
    ModelRecord.objects.filter(pk=model.pk).update(in_fast_lane=True)
    lane = predicted(ModelRecord.objects.get())
    ModelRecord.objects.filter(pk=model.pk).update(in_fast_lane=False)
    again = predicted(ModelRecord.objects.get())
    assert [each.engine for each in (exact, lane, again)] == ["onnxruntime", "openvino-bf16", "onnxruntime"]
    assert lane.probabilities == pytest.approx(exact.probabilities, abs=1e-4)  # f32 here
    assert (exact.load_ms > 0, lane.load_ms > 0, again.load_ms) == (True, True, 0)


def test_on_a_processor_without_bf16_fp32_answers_and_says_so(monkeypatch):
    monkeypatch.setattr(engines, "has_bf16", lambda: False)
    row = predicted(small_model(fast=FAST, in_fast_lane=True))
    assert (row.engine, row.provenance["engine"], row.provenance["device"]) == ("onnxruntime", "onnxruntime", "cpu")
    assert row.explanations.get().error is None


def test_there_is_no_map_by_any_method_and_the_sentence_says_why(row):
    assert row.explanations.get().error["code"] == "no-maps-in-bf16"
    for method in ("grad-cam++", "occlusion"):
        with pytest.raises(Refusal, match=r"^no-maps-in-bf16: This answer was computed in bf16"):
            ask(prediction=row, method=method)
    assert not ExplanationJob.objects.exists()


@pytest.mark.parametrize("method", ["grad-cam", "hirescam", "occlusion"])
def test_the_api_answers_every_method_alike(row, method):
    alice = Program("alice")
    answer = alice.call("GET", f"/predictions/{row.pk}/explanations", {"method": method})
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("no-maps-in-bf16: ")
    assert "occlusion instead" not in answer.json()["detail"]
    (image,) = alice.call("GET", f"/cases/{row.image.case_id}").json()["images"]
    (shown,) = image["predictions"]
    assert (shown["engine"], shown["engine_in_words"]) == ("openvino-bf16", IN_WORDS)
    assert (shown["explanation"]["error"]["code"], shown["explanation"]["url"]) == ("no-maps-in-bf16", None)


@pytest.mark.parametrize("method", ["grad-cam", "occlusion"])
def test_the_page_of_the_case_names_the_lane_and_offers_no_other_map(row, client, method):
    client.force_login(make_user())
    page = client.get(f"/cases/{row.image.case_id}/?method={method}").content.decode()
    assert f"· {IN_WORDS}" in page
    assert "map: This answer was computed in bf16 by OpenVINO" in page
    assert "Show occlusion" not in page


@pytest.mark.parametrize("path", ["/cases/", "/cases/?view=wall", "/"])
def test_lists_of_cases_name_the_lane(row, client, path):
    client.force_login(make_user())
    assert f'<span class="tag lane">{IN_WORDS}</span>' in client.get(path).content.decode()


def test_the_models_page_says_how_cases_are_answered(row, client):
    client.force_login(make_user())
    words = "Cases are answered in the fast lane, without heat maps"
    assert words in client.get(row.model.get_absolute_url()).content.decode()
    exact = small_model("Exact", fast=FAST)
    assert words not in client.get(exact.get_absolute_url()).content.decode()


def test_exports_and_provenance_name_the_lane(row):
    case = export.with_everything(type(row.image.case).objects.all()).get()
    (image,) = export.full_case_document(case)["images"]
    (found,) = image["predictions"]
    assert (found["engine_in_words"], found["provenance"]["engine_in_words"]) == (IN_WORDS, IN_WORDS)
    assert found["provenance"]["software"]["openvino"]
    header, line = export.table(type(case).objects.all())
    assert dict(zip(header, line, strict=True))["engine_in_words"] == IN_WORDS
