"""Stored answers: what they depend on, how they are found again, and how they are read."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from classifier.inference.input.preprocess import PREPROCESSING_VERSION
from classifier.models import ModelRecord
from evaluation.metrics.sample import Floats
from evaluation.models import DataSet, Evaluation, Inference, LabelledImage
from evaluation.services.data_sets.read_image import clinical_of

WINDOW = 1000


def recipe(model: ModelRecord, engine: str) -> str:
    """Hash everything that an answer depends on but the picture: weights, manifest, engine, preprocessing."""
    parts = [model.sha256, model.manifest, engine, PREPROCESSING_VERSION]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def key(recipe: str, model: ModelRecord, image: LabelledImage) -> str:
    """Hash the recipe with the decoded pixels and, where the model uses it, the clinical vector's origin."""
    told = vars(clinical_of(image)) if model.uses_clinical else None
    return hashlib.sha256(json.dumps([recipe, image.sha256, told], sort_keys=True).encode()).hexdigest()


def packed(probabilities: Floats) -> bytes:
    return probabilities.astype("<f8").tobytes()


def reuse(evaluation: Evaluation, using: str) -> int:
    """Copy answers of other data sets that this evaluation's owner may see; return their number.

    The same picture with the same details was answered by the same model there.
    """
    model, copied = evaluation.model, 0
    others = Inference.objects.filter(image__data_set__in=DataSet.objects.visible_to(evaluation.owner))
    missing = evaluation.data_set.images.exclude(inferences__recipe=using).order_by("pk")
    if not others.filter(recipe=using).exists():
        return 0
    for window in _windows(list(missing)):
        keys = {key(using, model, image): image for image in window}
        found = others.filter(key__in=keys).exclude(image__data_set=evaluation.data_set)
        answers = {row.key: bytes(row.probabilities) for row in found}
        rows = [
            Inference(image=image, model=model, recipe=using, key=text, probabilities=answers[text])
            for text, image in keys.items()
            if text in answers
        ]
        copied += len(Inference.objects.bulk_create(rows, ignore_conflicts=True))
    return copied


def answers_of(evaluation: Evaluation) -> dict[int, Floats]:
    """Return {image pk: (C,) probabilities} of those images of the data set that have an answer.

    Model records with equal weights and manifests share a recipe, and with it their answers.
    """
    using = recipe(evaluation.model, evaluation.engine)
    rows = Inference.objects.filter(image__data_set=evaluation.data_set_id, recipe=using)
    values = rows.values_list("image_id", "probabilities").iterator(chunk_size=2000)
    return {image: np.frombuffer(bytes(row), "<f8") for image, row in values}


def _windows(images: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (images[start : start + WINDOW] for start in range(0, len(images), WINDOW))
