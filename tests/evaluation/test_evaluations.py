"""Evaluations from the queue to the scores: each image once, whatever happens to the worker."""

from datetime import timedelta

import numpy as np
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from evaluation.models import DataSet, Evaluation, Inference
from evaluation.models.evaluation import Stage
from evaluation.services.evaluations.run import run_evaluation
from evaluation.services.evaluations.score import run_scoring
from evaluation.services.evaluations.start import delete_evaluation, start_evaluation
from skinsite.jobs import State, actions
from skinsite.refusal import Conflict, Refusal
from tests.factories.data_sets import make_data_set
from tests.factories.evaluations import compared, make_eight, scored_evaluation
from tests.factories.rows import SEVEN, make_model, make_prediction, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quiet", "no_figures", "few_replicates")]
TWENTY = [SEVEN[place % 7] for place in range(20)]


@pytest.fixture
def model():
    return make_model("Xception", measured={"predict_ms": 37.5})  # four images in a mini-batch


@pytest.fixture
def data_set():
    return make_data_set(TWENTY, pictures=True)


@pytest.fixture
def evaluation(data_set, model):
    return start_evaluation(owner=make_user(), data_set=data_set, model=model)


def turn(evaluation: Evaluation) -> Evaluation:
    run_evaluation(evaluation_id=evaluation.pk)
    return again(evaluation)


def finished(evaluation: Evaluation) -> Evaluation:
    turn(evaluation)
    run_scoring(evaluation_id=evaluation.pk)
    return again(evaluation)


def again(evaluation: Evaluation) -> Evaluation:
    return Evaluation.objects.select_related("model", "data_set", "owner").get(pk=evaluation.pk)


def dies_on(place: int):
    """Return what kills the worker whenever this picture is among those in its hands."""

    def before(places):
        if place in places:
            raise SystemExit

    return before


def lost(evaluation: Evaluation) -> None:
    """Let the worker die in its turn, and take the evaluation back when its lease has run out."""
    with pytest.raises(SystemExit):
        run_evaluation(evaluation_id=evaluation.pk)
    Evaluation.objects.filter(pk=evaluation.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    assert Evaluation.objects.recover() == 1


def test_each_image_is_answered_once_and_the_scores_follow(evaluation, fake):
    found = turn(evaluation)
    assert (found.state, found.stage, found.done, found.computed) == (State.QUEUED, Stage.SCORING, 20, 20)
    assert fake.places == list(range(20))
    assert {len(places) for places in fake.asked} == {4}
    run_scoring(evaluation_id=evaluation.pk)
    found = again(evaluation)
    assert found.state == State.DONE
    assert found.document["textbook"]["images"] == 20


def test_the_stored_answer_is_the_classifiers_to_the_last_bit(evaluation, fake):
    turn(evaluation)
    for place, row in enumerate(Inference.objects.order_by("image_id")):
        logits = np.sin((place + 1) * (np.arange(7) + 1)).astype(np.float32).astype(float)
        expected = np.exp(logits - logits.max())
        assert np.frombuffer(bytes(row.probabilities), "<f8") == pytest.approx(expected / expected.sum(), abs=1e-15)


def test_a_cancelled_evaluation_stops_keeps_its_answers_and_goes_on_after_a_retry(evaluation, fake):
    fake.before = lambda places: len(fake.asked) == 2 and actions.cancel(evaluation)
    assert turn(evaluation).state == State.CANCELLED
    assert Inference.objects.count() == 8
    fake.before = lambda places: None
    actions.retry(again(evaluation))
    assert finished(evaluation).state == State.DONE
    assert Inference.objects.count() == 20
    assert sorted(fake.places) == sorted([*range(20), 8, 9, 10, 11])  # those that were in hand


def test_only_an_open_evaluation_is_cancelled_and_only_a_broken_one_tried_again(evaluation, fake):
    found = finished(evaluation)
    with pytest.raises(Conflict):
        actions.cancel(found)
    with pytest.raises(Conflict):
        actions.retry(found)


def test_an_image_without_file_fails_alone_and_a_retry_answers_it_only(evaluation, fake):
    image = evaluation.data_set.images.order_by("pk")[5]
    with image.pixels.open("rb") as file:
        content = file.read()
    default_storage.delete(image.pixels.name)
    found = finished(evaluation)
    assert found.state == State.DONE
    assert [(row.image, row.code) for row in found.failed_images.all()] == [(image, "image-missing")]
    assert found.document["textbook"]["images"] == 19
    default_storage.save(image.pixels.name, ContentFile(content))
    fake.asked.clear()
    actions.retry(found)
    found = finished(evaluation)
    assert (found.state, found.failed_images.count()) == (State.DONE, 0)
    assert found.document["textbook"]["images"] == 20
    assert fake.asked == [[5]]


def test_an_image_that_the_model_cannot_answer_does_not_take_its_neighbours_along(evaluation, fake):
    def before(places):
        if 6 in places:
            raise ValueError("shape")

    fake.before = before
    found = finished(evaluation)
    assert [(row.image.name, row.code) for row in found.failed_images.all()] == [("image-00006", "prediction-failed")]
    assert fake.places == [place for place in range(20) if place != 6]


def test_an_evaluation_without_any_answer_has_no_numbers_and_names_its_failures(evaluation, fake):
    for image in evaluation.data_set.images.all():
        default_storage.delete(image.pixels.name)
    found = finished(evaluation)
    assert (found.state, found.failed_images.count()) == (State.DONE, 20)
    assert found.document["textbook"]["accuracy"]["value"] is None
    assert found.document["isic"] is None


def test_after_a_lost_worker_the_images_in_its_hands_come_alone(evaluation, fake):
    fake.before = dies_on(6)
    lost(evaluation)
    fake.before = lambda places: None
    fake.asked.clear()
    assert finished(evaluation).state == State.DONE
    assert fake.asked[:4] == [[4], [5], [6], [7]]
    assert fake.places == list(range(4, 20))
    assert Inference.objects.count() == 20


def test_an_image_that_kills_the_worker_alone_fails_and_the_rest_is_answered(evaluation, fake):
    fake.before = dies_on(6)
    lost(evaluation)
    lost(evaluation)
    found = finished(evaluation)
    assert found.state == State.DONE
    assert [(row.image.name, row.code) for row in found.failed_images.all()] == [("image-00006", "worker-died")]
    assert fake.places == [place for place in range(20) if place != 6]


def test_a_queued_prediction_of_the_same_framework_goes_first(evaluation, fake, model):
    person = make_prediction(model=model)
    found = turn(evaluation)
    assert (found.state, found.done, fake.asked) == (State.QUEUED, 0, [])
    person.delete()
    fake.before = lambda places: make_prediction(model=model)
    found = turn(evaluation)
    assert (found.state, found.stage, found.done) == (State.QUEUED, Stage.PREDICTING, 4)


def test_a_queued_prediction_of_another_framework_waits_elsewhere(evaluation, fake):
    make_prediction(model=make_eight(framework="torch"))
    assert turn(evaluation).done == 20


def test_a_person_has_one_evaluation_running_at_a_time(evaluation, fake, data_set):
    second = start_evaluation(owner=evaluation.owner, data_set=data_set, model=make_model("Second"))
    assert turn(second).begun_at is None
    other = start_evaluation(
        owner=make_user("bob"),
        data_set=make_data_set(TWENTY, owner=make_user("bob"), pictures=True),
        model=second.model,
    )
    assert turn(other).done == 20
    finished(evaluation)
    assert turn(second).done == 20


def test_a_fifth_open_evaluation_is_refused_with_the_limit(data_set, model):
    for _ in range(4):
        start_evaluation(owner=data_set.owner, data_set=data_set, model=model)
    with pytest.raises(Refusal, match="1 of your evaluations may run and 3 may wait"):
        start_evaluation(owner=data_set.owner, data_set=data_set, model=model)


def test_what_is_not_ready_is_refused(model):
    running = DataSet.objects.create(owner=make_user(), name="new")
    with pytest.raises(Refusal) as refused:
        start_evaluation(owner=make_user(), data_set=running, model=make_model("Old", state="retired"))
    assert [problem.field for problem in refused.value.problems] == ["dataset", "model"]


def test_a_second_evaluation_of_the_same_set_computes_nothing(evaluation, fake, data_set, model):
    finished(evaluation)
    fake.asked.clear()
    second = finished(start_evaluation(owner=data_set.owner, data_set=data_set, model=model))
    assert (second.state, second.reused, second.computed, fake.asked) == (State.DONE, 20, 0, [])
    assert second.document["textbook"] == again(evaluation).document["textbook"]


@pytest.mark.parametrize(("owner", "published", "reused"), [("alice", False, 20), ("bob", True, 20), ("bob", False, 0)])
def test_answers_of_the_same_pixels_are_reused_where_the_owner_may_see_them(
    evaluation, fake, model, owner, published, reused
):
    finished(evaluation)
    DataSet.objects.update(published=published)
    fake.asked.clear()
    person = make_user(owner)
    copy = make_data_set(TWENTY, owner=person, pictures=True)
    found = finished(start_evaluation(owner=person, data_set=copy, model=model))
    assert (found.state, found.reused, found.computed) == (State.DONE, reused, 20 - reused)
    assert len(fake.places) == 20 - reused


def test_another_manifest_needs_other_answers(evaluation, fake, data_set):
    finished(evaluation)
    other = make_model("Xception", version="2", manifest={"classes": list(SEVEN), "input": {"width": 100}})
    assert finished(start_evaluation(owner=data_set.owner, data_set=data_set, model=other)).reused == 0


def test_a_record_of_the_same_file_and_manifest_has_the_same_answers(evaluation, fake, data_set, model):
    finished(evaluation)
    fake.asked.clear()
    same = make_model("Xception again", sha256=model.sha256, manifest=model.manifest)
    second = finished(start_evaluation(owner=data_set.owner, data_set=data_set, model=same))
    assert (second.state, second.reused, fake.asked) == (State.DONE, 20, [])
    assert second.document["textbook"] == again(evaluation).document["textbook"]
    delete_evaluation(again(evaluation))
    assert Inference.objects.count() == 20
    delete_evaluation(second)
    assert not Inference.objects.exists()


def test_a_deleted_evaluation_takes_answers_comparisons_and_figures_along(
    monkeypatch, data_set, django_capture_on_commit_callbacks
):
    figure = default_storage.save("evaluations/1/roc.png", ContentFile(b"png"))
    monkeypatch.setattr("evaluation.services.evaluations.score._figures", lambda *_: {"roc": {"png": figure}})
    first, second = (scored_evaluation(data_set, make_model(name)) for name in ("one", "two"))
    comparison = compared(first, second, taxonomy="ham7")
    assert comparison.state == State.DONE
    with django_capture_on_commit_callbacks(execute=True):
        delete_evaluation(first)
    assert not default_storage.exists(figure)
    assert set(Inference.objects.values_list("model", flat=True)) == {second.model_id}
    assert not type(comparison).objects.exists()
    assert Evaluation.objects.get() == second


def test_answers_that_another_evaluation_uses_stay(evaluation, fake, data_set, model):
    finished(evaluation)
    second = start_evaluation(owner=data_set.owner, data_set=data_set, model=model)
    delete_evaluation(again(evaluation))
    assert Inference.objects.count() == 20
    assert finished(second).computed == 0


def test_a_deleted_data_set_takes_everything_along(evaluation, fake, data_set, django_capture_on_commit_callbacks):
    finished(evaluation)
    names = [name for image in data_set.images.all() for name in (image.pixels.name, image.thumbnail.name)]
    with django_capture_on_commit_callbacks(execute=True):
        actions.delete(data_set)
    assert not Inference.objects.exists()
    assert not Evaluation.objects.exists()
    assert not any(default_storage.exists(name) for name in names)
