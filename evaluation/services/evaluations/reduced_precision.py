"""What the fast lane changed: an evaluation in it beside one in fp32, of the same model on the same data set."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from classifier.inference.engines import FAST
from evaluation.models import Evaluation
from evaluation.services.evaluations.stored_predictions import answers_of
from skinsite.jobs import State

SHOWN = {"accuracy": "Accuracy", "balanced_accuracy": "Balanced accuracy"}


@dataclass(frozen=True)
class Change:
    """`differs` is the largest difference of a probability on the `images` that both answered.

    `changed` counts those that went to another class; `figures` are {title, lane, exact, difference}, None where
    undefined.
    """

    against: Evaluation
    images: int
    differs: float
    changed: int
    figures: list[dict[str, Any]]


def change(evaluation: Evaluation, reader: Any) -> Change | None:
    """Compare a finished evaluation in the fast lane with the newest in fp32 that the reader may see, if there is one.

    None for an evaluation that is in fp32 itself.
    """
    if evaluation.engine != FAST:
        return None
    same = Evaluation.objects.visible_to(reader).filter(model=evaluation.model_id, data_set=evaluation.data_set_id)
    against = same.filter(state=State.DONE).exclude(engine=FAST).select_related("model", "data_set").first()
    if against is None:
        return None
    lane, exact = answers_of(evaluation), answers_of(against)
    shared = sorted(lane.keys() & exact.keys())
    if not shared:
        return None
    ours, theirs = (np.stack([answers[image] for image in shared]) for answers in (lane, exact))
    return Change(
        against,
        len(shared),
        float(np.abs(ours - theirs).max()),
        int((ours.argmax(1) != theirs.argmax(1)).sum()),
        [_figure(title, evaluation, against, name) for name, title in SHOWN.items()],
    )


def _figure(title: str, evaluation: Evaluation, against: Evaluation, name: str) -> dict[str, Any]:
    lane, exact = (row.document["textbook"][name]["value"] for row in (evaluation, against))
    difference = None if lane is None or exact is None else lane - exact
    return {"title": title, "lane": lane, "exact": exact, "difference": difference}
