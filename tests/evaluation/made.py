"""Data sets, stored answers and evaluations for tests, without uploads and without any framework."""

import hashlib
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone
from PIL import Image

from classifier.inference.classifier import Classifier, Output
from classifier.inference.input.manifest import Manifest
from classifier.models import ModelRecord
from evaluation.models import Comparison, DataSet, Evaluation, Inference, LabelledImage
from evaluation.models.evaluation import Stage
from evaluation.services.comparisons.compare import run_comparison
from evaluation.services.comparisons.start import start_comparison
from evaluation.services.evaluations import stored_predictions
from evaluation.services.evaluations.score import run_scoring
from skinsite.diagnoses import DIAGNOSES
from skinsite.jobs import State
from tests.factories import SEVEN, make_model, make_user

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


def make_data_set(
    labels: Sequence[str],
    *,
    owner: Any = None,
    names: Sequence[str] = (),
    lesions: Sequence[str] = (),
    pixels: str = "set",
    pictures: bool = False,
    **fields: Any,
) -> DataSet:
    """Return an imported data set. Sets with the same word for `pixels` hold the same pictures."""
    counts = {code: {"images": list(labels).count(code), "lesions": list(labels).count(code)} for code in set(labels)}
    known = {
        code: {"name": code.title(), "malignant": DIAGNOSES[code].malignant if code in DIAGNOSES else False}
        for code in counts
    }
    fields = {"name": "Clinic A", "labels": known} | fields
    summary = {"images": len(labels), "lesions": len(set(lesions) or labels), "classes": counts}
    now = timezone.now()
    data_set = DataSet.objects.create(
        owner=owner or make_user(), state=State.DONE, finished_at=now, document=summary, **fields
    )
    LabelledImage.objects.bulk_create(
        LabelledImage(
            data_set=data_set,
            name=names[place] if names else f"image-{place:05}",
            file_name=f"{place}.jpg",
            label=label,
            lesion=lesions[place] if lesions else "",
            sex=("male", "female", "")[place % 3],
            age=float(place % 90),
            pixels=_stored(data_set, place, "png") if pictures else f"nothing/{place}.png",
            thumbnail=_stored(data_set, place, "webp") if pictures else f"nothing/{place}.webp",
            sha256=_hash(pixels, place),
            perceptual=_hash(pixels, place)[:16],
            width=8,
            height=8,
        )
        for place, label in enumerate(labels)
    )
    return data_set


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


def _hash(word: str, place: int) -> str:
    return hashlib.sha256(f"{word}-{place}".encode()).hexdigest()


def _stored(data_set: DataSet, place: int, form: str) -> str:
    file = io.BytesIO()
    Image.new("RGB", (8, 8), (place % 256, 60, 60)).save(file, form)
    return str(default_storage.save(f"datasets/made-{data_set.pk}-{place}.{form}", ContentFile(file.getvalue())))
