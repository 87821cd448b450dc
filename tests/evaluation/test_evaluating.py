"""What a worker does with an evaluation: each image once, in turns, whatever dies meanwhile."""

from datetime import timedelta

import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.utils import timezone

from evaluation.models import DataSet, Evaluation, FailedImage, Inference
from evaluation.models.evaluation import Stage
from evaluation.services.evaluations import run
from evaluation.services.evaluations.start import delete_evaluation, start_evaluation
from skinsite.jobs import State, actions
from skinsite.refusal import Conflict, Refusal
from tests.factories.data_sets import make_data_set, seven_labels
from tests.factories.evaluations import FakeNetwork, run_to_the_end, use
from tests.factories.rows import SEVEN, make_model, make_prediction, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_broker", "no_figures", "few_replicates")]


@pytest.fixture
def data_set(db) -> DataSet:
    return make_data_set(seven_labels(28), pictures=True)


@pytest.fixture
def network(monkeypatch) -> FakeNetwork:
    return use(monkeypatch, FakeNetwork(SEVEN))


def start(data_set, model=None, owner=None) -> Evaluation:
    return start_evaluation(owner=owner or data_set.owner, data_set=data_set, model=model or make_model())


def test_every_image_is_answered_once_and_the_scores_follow(data_set, network):
    done = run_to_the_end(start(data_set))
    assert done.state == State.DONE
    assert (done.done, done.total, done.computed, network.pictures) == (28, 28, 28, 28)
    assert done.document["textbook"]["images"] == 28
    assert done.images_per_second > 0


def test_a_person_who_waits_comes_first(data_set, network):
    evaluation = start(data_set)
    person = make_prediction(model=evaluation.model)
    run.run_evaluation(evaluation_id=evaluation.pk)
    assert (network.pictures, Evaluation.objects.get().state) == (0, State.QUEUED)
    person.delete()
    assert run_to_the_end(evaluation).state == State.DONE


def test_a_worker_that_dies_with_a_batch_loses_and_repeats_nothing(data_set, network):
    evaluation = start(data_set)
    row = Evaluation.objects.filter(pk=evaluation.pk)
    token = Evaluation.objects.claim(evaluation.pk, in_hand=False)
    in_flight = list(data_set.images.values_list("pk", flat=True)[:3])
    row.update(in_flight=in_flight, begun_at=timezone.now(), lease_until=timezone.now() - timedelta(minutes=1))
    assert token
    assert Evaluation.objects.recover() == 1
    done = run_to_the_end(evaluation)
    assert (done.state, done.quarantined, network.pictures) == (State.DONE, in_flight, 28)
    assert Inference.objects.count() == 28


def test_the_image_that_kills_twice_fails_alone(data_set, network):
    evaluation = start(data_set)
    killer = data_set.images.first().pk
    Evaluation.objects.filter(pk=evaluation.pk).update(
        in_flight=[killer], quarantined=[killer], begun_at=timezone.now()
    )
    done = run_to_the_end(evaluation)
    failed = FailedImage.objects.get()
    assert (done.state, done.done, failed.image_id, failed.code) == (State.DONE, 28, killer, "worker-died")
    assert network.pictures == 27


def test_an_image_that_is_gone_fails_alone_and_can_be_tried_again(data_set, network):
    image = data_set.images.first()
    with default_storage.open(image.pixels.name, "rb") as file:
        content = file.read()
    default_storage.delete(image.pixels.name)
    done = run_to_the_end(start(data_set))
    assert FailedImage.objects.get().code == "image-missing"
    assert done.document["textbook"]["images"] == 27
    with default_storage.open(image.pixels.name, "wb") as file:
        file.write(content)
    actions.retry(done)
    again = run_to_the_end(done)
    assert (again.document["textbook"]["images"], FailedImage.objects.count(), network.pictures) == (28, 0, 28)


def test_a_network_that_fails_for_one_image_does_not_take_its_neighbours_along(data_set, network, monkeypatch):
    bad = data_set.images.all()[4].sha256
    true_run = network.run

    def fragile(loaded, pixels, details, *, maps):
        answer = true_run(loaded, pixels, details, maps=maps)
        if any(int(image.astype(np.int64).sum()) == total for image in pixels):
            raise RuntimeError("boom")
        return answer

    with data_set.images.get(sha256=bad).pixels.open("rb") as file:
        from PIL import Image

        total = int(np.asarray(Image.open(file)).astype(np.int64).sum())
    monkeypatch.setattr(run.classifier, "run", fragile)
    done = run_to_the_end(start(data_set))
    assert FailedImage.objects.get().code == "prediction-failed"
    assert done.document["textbook"]["images"] == 27


def test_one_of_a_person_runs_and_three_wait(data_set, network):
    rows = [start(data_set, make_model(f"M{number}")) for number in range(4)]
    with pytest.raises(Refusal, match="1 of your evaluations may run and 3 may wait"):
        start(data_set, make_model("M5"))
    run.run_evaluation(evaluation_id=rows[1].pk)
    assert network.pictures == 0
    assert all(run_to_the_end(row).state == State.DONE for row in rows)


def test_cancel_keeps_what_is_answered_and_retry_goes_on(data_set, network):
    evaluation = start(data_set)
    actions.cancel(evaluation)
    with pytest.raises(Conflict):
        actions.cancel(Evaluation.objects.get())
    assert run_to_the_end(evaluation).state == State.CANCELLED
    actions.retry(Evaluation.objects.get())
    assert run_to_the_end(evaluation).state == State.DONE
    with pytest.raises(Conflict, match="nothing to try again"):
        actions.retry(Evaluation.objects.get())


def test_stored_answers_are_used_again_where_they_may_be_seen(data_set, network):
    model = make_model()
    run_to_the_end(start(data_set, model))
    again = run_to_the_end(start(data_set, model))
    assert (again.reused, again.computed, network.pictures) == (28, 0, 28)
    own_copy = make_data_set(seven_labels(28), pictures=True, name="Copy")
    assert run_to_the_end(start(own_copy, model)).reused == 28
    assert network.pictures == 28
    stranger = make_user("charlie")
    foreign = make_data_set(seven_labels(28), pictures=True, owner=stranger, name="Theirs")
    assert run_to_the_end(start(foreign, model, stranger)).reused == 0
    assert network.pictures == 56


def test_deleting_takes_everything_along(data_set, network, django_capture_on_commit_callbacks):
    model = make_model()
    evaluation = run_to_the_end(start(data_set, model))
    files = [image.pixels.name for image in data_set.images.all()]
    delete_evaluation(evaluation)
    assert not Inference.objects.exists()
    run_to_the_end(start(data_set, model))
    with django_capture_on_commit_callbacks(execute=True):
        actions.delete(data_set)
    assert not Evaluation.objects.exists()
    assert not Inference.objects.exists()
    assert not any(default_storage.exists(name) for name in files)


def test_the_scores_are_computed_on_the_light_queue(data_set, network, no_broker, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        evaluation = start(data_set)
    with django_capture_on_commit_callbacks(execute=True):
        run.run_evaluation(evaluation_id=evaluation.pk)
    assert Evaluation.objects.get().stage == Stage.SCORING
    assert [queue for task, _, queue in no_broker if task == Evaluation.task] == ["keras-batch", "default"]
