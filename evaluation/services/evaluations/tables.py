"""The predictions of an evaluation as tables, row by row."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from evaluation.metrics import taxonomy
from evaluation.metrics.sample import Floats
from evaluation.models import Evaluation, Inference, LabelledImage
from evaluation.services.evaluations import stored_predictions

WINDOW = 2000


def prediction_rows(evaluation: Evaluation) -> Iterator[list[Any]]:
    """Yield the header and a row for each answered image, in the data set's order.

    `truth` is the data set's code, `truth_mapped` the model's class that holds it, empty where there is none.
    """
    codes = [entry["code"] for entry in evaluation.model.classes]
    yield ["image", "lesion_id", "truth", "truth_mapped", "predicted", *codes]
    malignancy = evaluation.data_set.malignancy
    for image, values in stored_answers(evaluation):
        place = taxonomy.in_classes(image.label, codes, malignancy)
        best = codes[int(values.argmax())]
        yield [image.name, image.lesion, image.label, place or "", best, *map(float, values)]


def submission_rows(evaluation: Evaluation) -> Iterator[list[Any]]:
    """Yield the ISIC challenges' form: image and one column for each class, in capitals."""
    yield ["image", *(entry["code"].upper() for entry in evaluation.model.classes)]
    for image, values in stored_answers(evaluation):
        yield [image.name, *map(float, values)]


def stored_answers(evaluation: Evaluation) -> Iterator[tuple[LabelledImage, Floats]]:
    using = stored_predictions.recipe(evaluation.model, evaluation.engine)
    rows = Inference.objects.filter(image__data_set=evaluation.data_set, recipe=using)
    for row in rows.select_related("image").order_by("image_id").iterator(chunk_size=WINDOW):
        yield row.image, np.frombuffer(bytes(row.probabilities), "<f8")
