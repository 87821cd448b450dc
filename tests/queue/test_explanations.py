"""Maps on demand: a row, a message, and a worker's real answer by a small bundle."""

import io

import numpy as np
import pytest
from django.core.files.storage import default_storage

from classifier.inference.explain.explain import METHODS
from classifier.models import Explanation, ExplanationJob, ModelRecord, Prediction
from classifier.services.cases.create import Upload, create_case
from classifier.services.maps.explain import ask, run_explanation
from classifier.services.maps.view import Maps
from classifier.services.predictions.predict import run_prediction
from skinsite.jobs import State
from skinsite.jobs.sweep import sweep
from skinsite.jobs.turns import person_waits
from skinsite.refusal import Conflict, Refusal
from tests.factories.bundles import small_model
from tests.factories.rows import make_model, make_user
from tests.pictures import picture
from tests.queue.test_sending import some_time_passes

pytestmark = pytest.mark.django_db


def predicted(model: ModelRecord) -> Prediction:
    create_case(owner=make_user(), uploads=[Upload("a.jpg", io.BytesIO(picture()))], models=[model])
    row = Prediction.objects.get()
    run_prediction(prediction_id=row.pk)
    row.refresh_from_db()
    assert row.state == State.DONE, row.error
    return row


def made(row: Prediction, method: str) -> ExplanationJob:
    ask(prediction=row, method=method)
    run_explanation(job_id=ExplanationJob.objects.get(method=method).pk)
    return ExplanationJob.objects.get(method=method)


def stored(row: Prediction, method: str) -> Explanation:
    return Explanation.objects.select_related("prediction__model").get(prediction=row, method=method)


@pytest.mark.parametrize("method", [name for name in METHODS if name != "grad-cam"])
def test_every_method_is_made_by_the_worker_and_stored_once(method):
    row = predicted(small_model())
    job = made(row, method)
    assert (job.state, job.error) == (State.DONE, None)
    assert isinstance(ask(prediction=row, method=method), Explanation)
    side = 8 if method == "occlusion" else 4
    assert (stored(row, method).rows, stored(row, method).columns) == (side, side)
    run_explanation(job_id=job.pk)
    assert Explanation.objects.filter(prediction=row).count() == 2


def test_asking_twice_makes_one_job():
    row = predicted(small_model())
    first, second = (ask(prediction=row, method="hirescam") for _ in range(2))
    assert first == second
    assert ExplanationJob.objects.get().state == State.QUEUED
    assert person_waits("torch-batch")


def test_the_stored_map_needs_no_job():
    row = predicted(small_model())
    assert isinstance(ask(prediction=row, method="grad-cam"), Explanation)
    assert not ExplanationJob.objects.exists()


@pytest.mark.parametrize("method", ["grad-cam", "hirescam", "occlusion"])
def test_a_contrast_is_the_difference_of_two_maps_and_says_how_the_difference_of_scores_is_made(method):
    row = predicted(small_model())
    if method != "grad-cam":
        made(row, method)
    maps, contrast = Maps(stored(row, method)), Maps(stored(row, method), "nv")
    assert np.array_equal(contrast.map("mel"), maps.map("mel") - maps.map("nv"))
    assert contrast.peak("mel", "raises") == max(contrast.map("mel").max(), 0)
    assert contrast.peak("mel", "lowers") == max((-contrast.map("mel")).max(), 0)
    assert "nv" not in contrast.codes
    largest = max(np.abs(maps.map(one) - maps.map(other)).max() for one in maps.codes for other in maps.codes)
    assert contrast.peak_of_all == pytest.approx(largest)


@pytest.mark.parametrize("method", ["grad-cam++", "eigen-cam"])
def test_a_method_that_is_not_linear_has_no_contrast(method):
    row = predicted(small_model())
    made(row, method)
    with pytest.raises(Refusal, match="not linear"):
        Maps(stored(row, method), "nv")


def test_predictions_that_wait_are_answered_between_the_batches_of_a_slow_map():
    row = predicted(small_model())
    ask(prediction=row, method="occlusion")
    uploads = [Upload(f"{seed}.jpg", io.BytesIO(picture(seed))) for seed in (1, 2)]
    create_case(owner=make_user(), uploads=uploads, models=[row.model])
    run_explanation(job_id=ExplanationJob.objects.get().pk)
    job, waited = ExplanationJob.objects.get(), Prediction.objects.exclude(pk=row.pk)
    assert [prediction.state for prediction in waited] == [State.DONE, State.DONE]
    assert job.state == State.DONE
    assert all(job.started_at < prediction.finished_at < job.finished_at for prediction in waited)


def test_a_prediction_that_fails_meanwhile_does_not_take_the_map_along():
    row = predicted(small_model())
    ask(prediction=row, method="occlusion")
    create_case(
        owner=make_user(),
        uploads=[Upload("b.jpg", io.BytesIO(picture(1)))],
        models=[make_model("Gone", framework="torch")],
    )
    run_explanation(job_id=ExplanationJob.objects.get().pk)
    assert ExplanationJob.objects.get().state == State.DONE
    assert Prediction.objects.exclude(pk=row.pk).get().error["code"] == "bundle-damaged"


def test_a_model_without_a_layer_is_offered_occlusion_which_works():
    row = predicted(small_model("Flat", layered=False))
    with pytest.raises(Refusal, match=r"no-spatial-layer.*occlusion"):
        ask(prediction=row, method="hirescam")
    assert not ExplanationJob.objects.exists()
    assert made(row, "occlusion").state == State.DONE


def test_hirescam_does_not_apply_to_tokens_that_are_normalised():
    row = predicted(small_model("Normed tokens", tokens="normed"))
    job = made(row, "hirescam")
    assert job.error["code"] == "not-applicable"
    assert "transformer" in job.error["message"]
    assert made(row, "eigen-cam").state == State.DONE


def test_hirescam_applies_to_tokens_that_are_not():
    row = predicted(small_model("Plain tokens", tokens="plain"))
    assert made(row, "hirescam").state == State.DONE
    assert stored(row, "hirescam").columns == 4


def test_a_map_that_is_zero_everywhere_is_a_sentence_and_the_prediction_stays():
    row = predicted(small_model("Zero", scale=0))
    assert stored(row, "grad-cam").error["code"] == "map-empty"
    assert made(row, "occlusion").error["code"] == "map-empty"
    row.refresh_from_db()
    assert (row.state, sum(row.probabilities.values())) == (State.DONE, pytest.approx(1))


def test_gradients_that_are_no_numbers_are_a_sentence_and_the_prediction_stays():
    row = predicted(small_model("Rooted", rooted=True))
    assert stored(row, "grad-cam").error["code"] == "map-not-finite"
    assert "overflow" in stored(row, "grad-cam").error["message"]
    assert made(row, "hirescam").error["code"] == "map-not-finite"
    row.refresh_from_db()
    assert (row.state, sum(row.probabilities.values())) == (State.DONE, pytest.approx(1))


def test_a_failed_job_stays_failed_until_it_is_asked_for_again():
    row = predicted(small_model())
    with default_storage.open(str(row.image.pixels)) as file:
        content = file.read()
    default_storage.delete(str(row.image.pixels))
    assert made(row, "hirescam").error["code"] == "image-missing"
    assert ask(prediction=row, method="hirescam").state == State.FAILED
    default_storage.save(str(row.image.pixels), io.BytesIO(content))
    ask(prediction=row, method="hirescam", again=True)
    assert made(row, "hirescam").state == State.DONE


def test_a_prediction_that_is_not_done_has_no_maps():
    create_case(owner=make_user(), uploads=[Upload("a.jpg", io.BytesIO(picture()))], models=[small_model()])
    with pytest.raises(Conflict, match="queued"):
        ask(prediction=Prediction.objects.get(), method="hirescam")


def test_maps_count_in_the_limit_of_waiting_work(settings):
    row = predicted(small_model())
    settings.QUEUED_PREDICTIONS_A_USER = 1
    ask(prediction=row, method="hirescam")
    with pytest.raises(Refusal, match="limit"):
        ask(prediction=row, method="occlusion")


@pytest.mark.django_db(transaction=True)
def test_a_job_is_sent_after_the_commit_and_again_when_the_broker_forgot(broker):
    row = predicted(small_model())
    broker.client.flushall()
    ask(prediction=row, method="occlusion")
    assert broker.length("torch") == 1
    broker.client.flushall()
    some_time_passes()
    ExplanationJob.objects.update(sent_at=None)
    sweep()
    assert broker.length("torch") == 1
