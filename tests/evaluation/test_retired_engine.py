"""What an engine computed that is no longer offered: it is shown as it is, and whatever is unfinished goes on."""

from importlib import import_module

import pytest
from django.apps import apps
from django.urls import reverse

from evaluation.models import Evaluation, FailedImage, Inference
from evaluation.models.evaluation import Stage
from evaluation.services.evaluations import stored_predictions
from evaluation.services.evaluations.run import run_evaluation
from evaluation.services.evaluations.score import run_scoring
from skinsite.jobs import State, actions
from tests.factories.data_sets import make_data_set
from tests.factories.evaluations import scored_evaluation
from tests.factories.rows import SEVEN, make_model

migration = import_module("evaluation.migrations.0005_engine_of_the_model")
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quiet", "no_figures", "few_replicates")]


@pytest.fixture
def old() -> Evaluation:
    """A finished evaluation by the retired engine, with one image that failed."""
    model = make_model()
    done = scored_evaluation(make_data_set([SEVEN[place % 7] for place in range(14)], pictures=True), model)
    Inference.objects.update(recipe=stored_predictions.recipe(model, migration.RETIRED))
    Evaluation.objects.update(engine=migration.RETIRED)
    FailedImage.objects.create(evaluation=done, image=done.data_set.images.first(), code="gone", message="Gone.")
    return found()


def found() -> Evaluation:
    return Evaluation.objects.select_related("model", "data_set", "owner").get()


def migrate() -> Evaluation:
    migration.go_on_with_the_models_engine(apps, None)
    return found()


def test_a_finished_one_stays_and_names_its_engine(old, client):
    assert migrate().engine == migration.RETIRED
    client.force_login(old.owner)
    page = " ".join(client.get(old.get_absolute_url()).content.decode().split())
    assert f"engine {migration.RETIRED}" in page
    assert f"Xception (version 1) [{migration.RETIRED}]" in client.get("/evaluations/").content.decode()
    lines = client.get(f"{old.get_absolute_url()}predictions.csv").getvalue().decode().splitlines()
    assert len(lines) == 15
    assert all(line.split(",")[4] in SEVEN for line in lines[1:])
    card = client.get(reverse("model_card", args=[old.model.pk])).getvalue().decode()
    assert "accuracy" not in card, "a model's card shows what its own engine answers"


@pytest.mark.parametrize(
    "fields",
    [
        {"state": State.QUEUED, "finished_at": None, "stage": Stage.PREDICTING},
        {"state": State.QUEUED, "finished_at": None, "stage": Stage.SCORING},
        {"state": State.FAILED, "error_code": "engine-missing", "stage": Stage.PREDICTING},
        {"state": State.CANCELLED, "stage": Stage.SCORING},
    ],
)
def test_an_unfinished_one_goes_on_with_the_models_engine(old, fields):
    Evaluation.objects.update(**fields)
    moved = migrate()
    assert (moved.engine, moved.state, moved.stage) == ("native", fields["state"], Stage.PREDICTING)
    assert moved.begun_at is None


def test_failed_images_are_tried_again_with_all_others_by_the_models_engine(old, fake):
    actions.retry(old)
    run_evaluation(evaluation_id=old.pk)
    run_scoring(evaluation_id=old.pk)
    assert (found().state, found().engine, found().failed_images.count()) == (State.DONE, "native", 0)
    assert fake.places == list(range(14))
