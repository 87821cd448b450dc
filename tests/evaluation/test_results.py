"""The whole way, from an archive to what is seen and how models compare; test_scoring has the numbers."""

import pytest

from evaluation.models import Comparison, Evaluation, TrainingSet
from evaluation.services.comparisons.compare import run_comparison
from evaluation.services.comparisons.start import start_comparison
from evaluation.services.evaluations.start import start_evaluation
from skinsite.jobs import State
from tests.factories.data_sets import import_data_set, seven_labels
from tests.factories.evaluations import FakeNetwork, run_to_the_end, use
from tests.factories.rows import SEVEN, make_model

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_broker", "no_figures", "few_replicates")]


def evaluated(monkeypatch, data_set, codes=SEVEN, name="Seven", seed=0, **fields) -> Evaluation:
    use(monkeypatch, FakeNetwork(tuple(codes), seed))
    model = make_model(name, classes=list(codes), **fields)
    done = run_to_the_end(start_evaluation(owner=data_set.owner, data_set=data_set, model=model))
    assert done.state == State.DONE, done.error
    return Evaluation.objects.select_related("model", "data_set", "owner").get(pk=done.pk)


def score_again(evaluation) -> None:
    again = {"state": State.QUEUED, "stage": "scoring", "finished_at": None, "document": {}}
    Evaluation.objects.filter(pk=evaluation.pk).update(**again)


def compared(evaluations, taxonomy="ham7") -> Comparison:
    row = start_comparison(owner=evaluations[0].owner, evaluations=evaluations, taxonomy_name=taxonomy)
    run_comparison(comparison_id=row.pk)
    return Comparison.objects.get(pk=row.pk)


class TestSeen:
    def test_lists_and_sets_of_the_portal_are_compared(self, monkeypatch):
        training = import_data_set(seven_labels(6), name="Training", names="other_{:03d}", seed=1000)
        data_set = import_data_set(seven_labels(28))
        evaluation = evaluated(monkeypatch, data_set)
        TrainingSet.objects.create(model=evaluation.model, name="Ours", identifiers="img_020", data_set=training)
        score_again(evaluation)
        seen = run_to_the_end(evaluation).seen["by"]
        assert (seen["id"], "pixels" in seen) == (1, False)
        assert seen["lesion"] >= 7  # the drawn blots are alike, too, and bring their siblings along

    def test_the_same_pixels_are_seen_whatever_they_are_called(self, monkeypatch):
        training = import_data_set(["nv"] * 3, name="Training", names="other_{:03d}", per_lesion=100)
        data_set = import_data_set(["mel"] * 12, per_lesion=1)
        evaluation = evaluated(monkeypatch, data_set)
        TrainingSet.objects.create(model=evaluation.model, name="Ours", data_set=training)
        score_again(evaluation)
        assert run_to_the_end(evaluation).seen["by"]["pixels"] == 3


class TestComparison:
    def test_a_model_against_itself_does_not_differ(self, monkeypatch):
        data_set = import_data_set(seven_labels(28))
        rows = [evaluated(monkeypatch, data_set, name=name) for name in ("One", "Same")]
        for row in compared(rows).document["pairs"]:
            assert (row["difference"], row["p"]) == (0, 1)
