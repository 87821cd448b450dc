"""What a worker does with a row that cannot be answered; answers themselves are tested with a whole portal."""

import io

import numpy as np
import pytest

from classifier.inference import bundle
from classifier.models import Case, Prediction
from classifier.services.cases.create import Upload, create_case
from classifier.services.predictions.predict import run_prediction
from skinsite.jobs import State, actions
from skinsite.refusal import Conflict
from tests.factories.bundles import small_model
from tests.factories.rows import make_done_prediction, make_model, make_user
from tests.manifests import complete
from tests.pictures import picture

pytestmark = pytest.mark.django_db
SIZE = {"width": 8, "height": 8}


def queued() -> Prediction:
    create_case(owner=make_user(), uploads=[Upload("a.jpg", io.BytesIO(picture()))], models=[make_model()])
    return Prediction.objects.get()


def test_a_bundle_that_is_gone_fails_with_a_reason():
    row = queued()
    run_prediction(prediction_id=row.pk)
    row.refresh_from_db()
    assert row.state == State.FAILED
    assert row.error["code"] == "bundle-damaged"
    assert "Xception" in row.error["message"]


def test_weights_that_were_changed_fail_with_a_reason(settings):
    row = queued()
    folder = row.model.bundle_path
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "bundle.json").write_text('{"format": 1, "weights": {"sha256": "0"}}')
    (folder / "weights.safetensors").write_bytes(b"other")
    run_prediction(prediction_id=row.pk)
    row.refresh_from_db()
    assert row.error["code"] == "bundle-damaged"


def test_other_weights_than_those_of_the_record_fail_with_a_reason():
    """The folder is whole, and somebody else's."""
    row = queued()
    folder = row.model.bundle_path
    folder.mkdir(parents=True, exist_ok=True)
    manifest = complete(**({"classes": ["mel", "nv"], "framework": "torch", "input": SIZE}))
    bundle.write(folder, manifest=manifest, network={}, tensors={"weight": np.ones(3)})
    run_prediction(prediction_id=row.pk)
    row.refresh_from_db()
    assert row.error["code"] == "bundle-damaged"
    assert "record" in row.error["message"]


def test_an_answer_stands_where_only_its_map_fails(monkeypatch):
    def fails(*_: object) -> None:
        raise RuntimeError("no gradient")

    monkeypatch.setattr("classifier.inference.networks.onnx._maps", fails)
    create_case(owner=make_user(), uploads=[Upload("a.jpg", io.BytesIO(picture()))], models=[small_model()])
    row = Prediction.objects.get()
    run_prediction(prediction_id=row.pk)
    row.refresh_from_db()
    assert (row.state, row.attempts) == (State.DONE, 1)
    assert sum(row.probabilities.values()) == pytest.approx(1)
    assert row.explanations.get().error["code"] == "map-failed"


def test_a_row_that_is_done_is_left_alone():
    row = make_done_prediction()
    run_prediction(prediction_id=row.pk)
    row.refresh_from_db()
    assert (row.state, row.attempts) == (State.DONE, 1)


def test_a_row_that_was_deleted_is_no_error():
    row = queued()
    Case.objects.all().delete()
    run_prediction(prediction_id=row.pk)


def test_a_cancelled_row_is_not_run():
    row = queued()
    actions.cancel(row)
    run_prediction(prediction_id=row.pk)
    row.refresh_from_db()
    assert row.state == State.CANCELLED


def test_cancel_and_retry_say_when_they_cannot():
    row = make_done_prediction()
    with pytest.raises(Conflict, match="done"):
        actions.cancel(row)
    with pytest.raises(Conflict, match="done"):
        actions.retry(row)
