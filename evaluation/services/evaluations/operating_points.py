"""Reported operating points: a threshold that was chosen elsewhere, with its source."""

import numpy as np

from evaluation.metrics import binary
from evaluation.metrics.sample import Booleans
from evaluation.models import Evaluation, OperatingPoint
from evaluation.services.evaluations.score import DEFINITIONS, answered, scored
from skinsite.refusal import Problem, Refusal

HALF_SEED = 7


def report_operating_point(
    *, evaluation: Evaluation, definition: str, target: float, source: Evaluation | None
) -> OperatingPoint:
    """Choose a threshold that reaches a sensitivity on `source`, or on a lesion-disjoint half, and store its result.

    Raises Refusal for another model's evaluation, a target outside (0, 1) and a definition that cannot be computed.
    """
    if definition not in DEFINITIONS or not 0 < target < 1:
        raise Refusal(Problem("target", "Choose a definition of malignant and a sensitivity between 0 and 1."))
    if source is not None and (source.model_id != evaluation.model_id or source.data_set_id == evaluation.data_set_id):
        raise Refusal(Problem("source", "The threshold must come from the same model on another data set."))
    own = _scored(evaluation, definition)
    if source is not None:
        chosen_on, shown_on = _scored(source, definition), own
    else:
        first = np.random.default_rng(HALF_SEED).random(own.count)[own.lesions] < 0.5
        chosen_on, shown_on = _part(own, first), _part(own, ~first)
    for part in (chosen_on, shown_on):
        if not part.positive.any() or part.positive.all():
            raise Refusal(Problem("source", "One side has no positive or no negative image: take another evaluation."))
    threshold = binary.exploratory(chosen_on, target, replicates=1)["threshold"]
    result = binary.point(shown_on, threshold) | {"images": len(shown_on.scores)}
    return OperatingPoint.objects.create(
        evaluation=evaluation, source=source, definition=definition, target=target, threshold=threshold, result=result
    )


def _scored(evaluation: Evaluation, definition: str) -> binary.Scored:
    found = scored(evaluation, answered(evaluation), definition)
    if found is None or not len(found[1]):
        raise Refusal(Problem("definition", f"{evaluation} gives no score for {definition}."))
    return found[0]


def _part(whole: binary.Scored, mask: Booleans) -> binary.Scored:
    lesions = np.unique(whole.lesions[mask], return_inverse=True)[1].reshape(-1).astype(np.int64)
    return binary.Scored(whole.scores[mask], whole.positive[mask], lesions)
