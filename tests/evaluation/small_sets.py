"""Data sets with real small pictures, and a classifier that answers from the picture's mean colour."""

import csv
import io
import zipfile
from dataclasses import dataclass
from typing import Any

import numpy as np

from classifier.inference.classifier import Answer
from evaluation.models import DataSet, Evaluation
from evaluation.models.evaluation import Stage
from evaluation.services.data_sets.importing import create_data_set, run_import
from evaluation.services.evaluations import run as evaluation_run
from evaluation.services.evaluations import score
from skinsite.jobs import State
from tests.factories import SEVEN, make_user
from tests.pictures import picture

EIGHT = ("mel", "nv", "bcc", "ak", "bkl", "df", "vasc", "scc")


def zipped(labels: list[str], *, per_lesion: int = 2, names: str = "img_{:03d}", seed: int = 0) -> bytes:
    """Return a zip of one small picture for each label, with a table that names lesions, ages and sexes."""
    file, table = io.BytesIO(), io.StringIO()
    rows = csv.writer(table)  # noqa: TID251
    rows.writerow(["image", "diagnosis", "lesion_id", "age", "sex"])
    with zipfile.ZipFile(file, "w") as archive:
        for number, label in enumerate(labels):
            name = names.format(number)
            archive.writestr(f"pictures/{name}.png", picture(seed + number, (64, 48), kind="PNG"))
            sex = "female" if number % 2 else "male"
            rows.writerow([name, label, f"{label}_{number // per_lesion}", 30 + number % 50, sex])
        archive.writestr("labels.csv", table.getvalue())
    return file.getvalue()


def make_data_set(labels: list[str], owner: Any = None, name: str = "Set", **options: Any) -> DataSet:
    """Import a real zip and return the finished data set."""
    archive = io.BytesIO(zipped(labels, **options))
    data_set = create_data_set(owner=owner or make_user(), name=name, archive=archive)
    run_import(data_set_id=data_set.pk)
    data_set = DataSet.objects.get(pk=data_set.pk)
    assert data_set.state == State.DONE, data_set.error
    return data_set


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


def seven_labels(count: int) -> list[str]:
    return [SEVEN[number // 2 % 7] for number in range(count)]
