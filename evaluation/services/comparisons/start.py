"""Comparisons: who may be compared with whom, and in which taxonomy. The numbers are made in comparing.py."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.db import transaction

from evaluation.metrics import taxonomy
from evaluation.models import ClassPlace, Comparison, Evaluation
from skinsite.diagnoses import NATIVE, TAXONOMIES
from skinsite.jobs import State, actions
from skinsite.refusal import Problem, Refusal


def start_comparison(*, owner: Any, evaluations: Sequence[Evaluation], taxonomy_name: str) -> Comparison:
    """Queue a comparison. Raises Refusal where the evaluations do not go together or cannot reach the taxonomy."""
    chosen = list({evaluation.pk: evaluation for evaluation in evaluations}.values())
    _check(chosen, taxonomy_name)
    places(chosen, taxonomy_name)
    comparison = Comparison(
        owner=owner,
        data_set=chosen[0].data_set,
        taxonomy=taxonomy_name,
        order=[evaluation.pk for evaluation in chosen],
    )
    with transaction.atomic():
        actions.start(comparison)
        comparison.evaluations.set(chosen)
    return comparison


def places(evaluations: Sequence[Evaluation], name: str) -> list[dict[str, str]]:
    """Return where each model's classes go. Raises Refusal with a sentence for a taxonomy that cannot be reached."""
    try:
        return [
            taxonomy.mapping(
                name,
                str(evaluation.model),
                {entry["code"]: entry["malignant"] for entry in evaluation.model.classes},
                dict(ClassPlace.objects.filter(model=evaluation.model, taxonomy=name).values_list("code", "place")),
            )
            for evaluation in evaluations
        ]
    except taxonomy.Unreachable as error:
        raise Refusal(Problem("taxonomy", str(error))) from error


def in_order(comparison: Comparison) -> list[Evaluation]:
    """The evaluations as they were named when the comparison was made."""
    rows = {row.pk: row for row in comparison.evaluations.select_related("model", "data_set", "owner")}
    return [rows[pk] for pk in comparison.order if pk in rows]


def _check(evaluations: Sequence[Evaluation], name: str) -> None:
    problems = []
    most = settings.MODELS_A_COMPARISON
    if not 2 <= len(evaluations) <= most:
        message = f"A comparison needs two to {most} different evaluations; {len(evaluations)} were named."
        raise Refusal(Problem("evaluations", message))
    if name not in (*TAXONOMIES, NATIVE):
        known = ", ".join([*TAXONOMIES, NATIVE])
        problems.append(Problem("taxonomy", f"The taxonomy {name[:40]!r} is not known. Known are: {known}."))
    for evaluation in evaluations:
        if evaluation.state != State.DONE:
            message = f"Evaluation {evaluation.pk} is {evaluation.shown_state}: only done ones can be compared."
            problems.append(Problem("evaluations", message))
    if len({evaluation.data_set_id for evaluation in evaluations}) > 1:
        problems.append(
            Problem("evaluations", "The evaluations are on different data sets: compare them on the same images.")
        )
    if problems:
        raise Refusal(*problems)
    try:
        taxonomy.target(name, [[entry["code"] for entry in row.model.classes] for row in evaluations], {})
    except taxonomy.Unreachable as error:
        raise Refusal(Problem("taxonomy", str(error))) from error
