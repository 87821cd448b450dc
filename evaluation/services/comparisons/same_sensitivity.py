"""Models of a comparison at one sensitivity: what each spares, and whether the difference is one."""

from collections.abc import Sequence

import numpy as np

from evaluation.documents.comparison_result import Aim, ReachedBy, SameSensitivity, Spared
from evaluation.metrics import binary, taxonomy
from evaluation.metrics.sample import Floats
from evaluation.models import Evaluation, LabelledImage
from evaluation.services.comparisons.start import places
from evaluation.services.evaluations.score import DEFINITIONS, Answered
from skinsite.refusal import Refusal


def at_the_same_sensitivity(
    evaluations: Sequence[Evaluation], sets: Sequence[Answered], shared: Sequence[LabelledImage]
) -> list[SameSensitivity]:
    """Return a block for each definition of positive that all models reach: rows of models, and pairs, by target."""
    classes = [[entry["code"] for entry in row.model.classes] for row in evaluations]
    keys = [str(row.pk) for row in evaluations]
    blocks = []
    for name, title in DEFINITIONS.items():
        try:
            mappings = places(evaluations, name)
        except Refusal:
            continue
        target = taxonomy.target(name, classes, evaluations[0].data_set.malignancy)
        kept = [image for image in shared if target.truth(image.label) is not None]
        positive = np.array([target.truth(image.label) == target.classes[1] for image in kept], bool)
        if not positive.any() or positive.all():
            continue
        lesions = np.unique([image.unit for image in kept], return_inverse=True)[1].reshape(-1).astype(np.int64)
        models = [
            binary.Scored(_scores(found, kept, to, target), positive, lesions)
            for found, to in zip(sets, mappings, strict=True)
        ]
        aims = []
        for aim in binary.TARGETS:
            rows, pairs = binary.at_sensitivity(models, aim)
            named = [ReachedBy(**row, evaluation=key) for key, row in zip(keys, rows, strict=True)]
            paired = [Spared(a=keys[i], b=keys[j], specificity=number) for (i, j), number in pairs.items()]
            aims.append(Aim(target=aim, models=named, pairs=paired))
        blocks.append(SameSensitivity(definition=name, title=title, images=len(kept), targets=aims))
    return blocks


def _scores(found: Answered, images: Sequence[LabelledImage], to: dict[str, str], target: taxonomy.Target) -> Floats:
    return np.asarray(taxonomy.summed(found.rows(images), found.codes, to, target.classes)[:, 1])
