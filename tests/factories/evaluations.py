"""Models' answers, evaluations and comparisons for tests, without any framework."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.utils import timezone

from classifier.inference.classifier import Answer, Classifier, Output
from classifier.inference.input.manifest import Manifest
from classifier.models import ModelRecord
from evaluation.models import Comparison, DataSet, Evaluation, Inference
from evaluation.models.evaluation import Stage
from evaluation.services.comparisons.compare import run_comparison
from evaluation.services.comparisons.start import start_comparison
from evaluation.services.evaluations import run as evaluation_run
from evaluation.services.evaluations import score, stored_predictions
from evaluation.services.evaluations.score import run_scoring
from skinsite.jobs import State
from tests.factories.rows import SEVEN, make_model

EIGHT = ("mel", "nv", "bcc", "ak", "bkl", "df", "vasc", "scc")
INPUT = {
    "width": 8,
    "height": 8,
    "resize": "stretch",
    "interpolation": "bilinear",
    "antialias": True,
    "color": "rgb",
    "range": [0, 255],
    "mean": [0, 0, 0],
    "std": [1, 1, 1],
    "clinical": "none",
}


def store_answers(data_set: DataSet, model: ModelRecord, values: Any) -> None:
    """Store probabilities (n, C) as the model's answers, in the order of the data set."""
    using = stored_predictions.recipe(model, "native")
    Inference.objects.bulk_create(
        Inference(
            image=image,
            model=model,
            recipe=using,
            key=stored_predictions.key(using, model, image),
            probabilities=stored_predictions.packed(np.asarray(row)),
        )
        for image, row in zip(data_set.images.order_by("pk"), values, strict=True)
    )


def skilled(data_set: DataSet, model: ModelRecord, seed: int = 0, skill: float = 2.0) -> Any:
    """Draw probabilities (n, C) that know something of the truth."""
    codes = [entry["code"] for entry in model.classes]
    labels = data_set.images.order_by("pk").values_list("label", flat=True)
    logits = np.random.default_rng(seed).normal(size=(len(labels), len(codes)))
    for row, label in zip(logits, labels, strict=True):
        if label in codes:
            row[codes.index(label)] += skill
    values = np.exp(logits)
    return values / values.sum(1, keepdims=True)


def queued_scoring(data_set: DataSet, model: ModelRecord, values: Any = None, *, owner: Any = None) -> Evaluation:
    """Return an evaluation whose images are all answered and whose scores are not computed yet."""
    store_answers(data_set, model, skilled(data_set, model) if values is None else values)
    count = data_set.images.count()
    return Evaluation.objects.create(
        owner=owner or data_set.owner,
        data_set=data_set,
        model=model,
        stage=Stage.SCORING,
        total=count,
        done=count,
        begun_at=timezone.now(),
    )


def scored_evaluation(data_set: DataSet, model: ModelRecord, values: Any = None, *, owner: Any = None) -> Evaluation:
    evaluation = queued_scoring(data_set, model, values, owner=owner)
    run_scoring(evaluation_id=evaluation.pk)
    return Evaluation.objects.select_related("model", "data_set", "owner").get(pk=evaluation.pk)


def compared(*evaluations: Evaluation, taxonomy: str) -> Comparison:
    made = start_comparison(owner=evaluations[0].owner, evaluations=evaluations, taxonomy_name=taxonomy)
    run_comparison(comparison_id=made.pk)
    return Comparison.objects.get(pk=made.pk)


def make_eight(name: str = "Eight", **fields: Any) -> ModelRecord:
    return make_model(name, classes=list(EIGHT), **fields)


class Fake(Classifier):
    """Answers by the pictures' first value, which is the place of the image, and notes which it was asked for."""

    layer, bytes = None, 0

    def __init__(self, classes: Sequence[str] = SEVEN) -> None:
        given = {"classes": list(classes), "input": INPUT, "output": "softmax"}
        self.manifest = Manifest.model_validate(given | {"name": "Fake", "version": "1", "framework": "keras"})
        self.asked: list[list[int]] = []
        self.before: Any = lambda places: None

    def output(self, inputs: Any, vectors: Any, method: Any = None) -> Output:
        places = [round(float(value)) for value in inputs[:, 0, 0, 0]]
        self.before(places)
        self.asked.append(places)
        classes = np.arange(len(self.manifest.classes))
        logits = np.sin(np.outer(np.array(places) + 1, classes + 1)).astype(np.float32)
        return Output(logits, None, 1.0, 0.0)

    @property
    def places(self) -> list[int]:
        return sorted(place for places in self.asked for place in places)


@dataclass
class FakeNetwork:
    """Stands for a loaded model: its answer depends on the pixels alone, and it counts its pictures."""

    codes: tuple[str, ...]
    seed: int = 0
    pictures: int = 0
    batches: int = 0

    def run(self, loaded: Any, pixels: Any, details: Any, *, maps: bool) -> Answer:
        self.pictures += len(pixels)
        self.batches += 1
        rows = []
        for image in pixels:
            dice = np.random.default_rng(int(image.astype(np.int64).sum()) + self.seed)
            rows.append(dice.dirichlet(np.full(len(self.codes), 0.4)))
        return Answer(np.array(rows), None, None, 1.0, 0.0)


def use(monkeypatch: Any, network: FakeNetwork) -> FakeNetwork:
    """Let evaluations answer with a fake network instead of a bundle."""
    monkeypatch.setattr(evaluation_run, "load_classifier", lambda model: (network, 0.0))
    monkeypatch.setattr(evaluation_run.classifier, "run", network.run)
    return network


def run_to_the_end(evaluation: Evaluation) -> Evaluation:
    """Take turns as workers would, until the evaluation is final."""
    while (row := Evaluation.objects.get(pk=evaluation.pk)).state in (State.QUEUED, State.RUNNING):
        if row.stage == Stage.SCORING:
            score.run_scoring(evaluation_id=row.pk)
        else:
            evaluation_run.run_evaluation(evaluation_id=row.pk)
    return row
