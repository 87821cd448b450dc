"""What a verdict means, in sentences for the person who registered the model."""

from collections.abc import Iterator

from evaluation.documents.setting_check import Finding
from evaluation.setting.search import FREE, Question
from evaluation.setting.titles import ELIMINATED, TITLES, UNDETERMINED
from evaluation.setting.verdict import FEWEST_IN_HALF, FEWEST_LESIONS, Verdict


def sentences(verdict: Verdict, question: Question) -> list[str]:
    if not verdict.speaks:
        return [*_silence(verdict, question), "Nothing is claimed and nothing can be filled in."]
    return [_order(verdict), _classes(verdict), *map(_part, verdict.parts)]


def _silence(verdict: Verdict, question: Question) -> Iterator[str]:
    """Say why nothing is claimed."""
    images = sum(len(half.truth) for half in question.halves.values())
    lesions = sum(half.lesion_count for half in question.halves.values())
    if not verdict.enough:
        yield (
            f"{images} images of {lesions} lesions are too few: the check needs at least {2 * FEWEST_IN_HALF} lesions, "
            f"and {2 * FEWEST_LESIONS} of a class to confirm its output."
        )
    if verdict.reached <= verdict.chance:
        yield (
            f"The best of all settings puts {verdict.reached:.2f} of each class right on average, and permuted labels "
            f"reach {verdict.chance:.2f}: this may be chance."
        )
    if verdict.enough and not verdict.informative.sure:
        yield (
            "On the half that tests, the answers are not shown to know more than nothing. Is this the kind of picture "
            "that the model was trained on, and are the labels right?"
        )


def _order(verdict: Verdict) -> str:
    order = verdict.order
    if order.value == FREE:
        return "The classes stand in none of the orders in use; the assignment fits surely better than all of them."
    if order.confirmed:
        return f"Among the orders in use it is “{order.value}”: {_worse(order)}."
    if order.rival is None:
        return f"There is one named order of these classes, “{order.value}”."
    return f"The evidence does not separate the orders “{order.value}” and “{order.rival}”."


def _classes(verdict: Verdict) -> str:
    sure = [entry for entry in verdict.classes if entry.state != UNDETERMINED]
    doubtful = [entry for entry in verdict.classes if entry.state == UNDETERMINED]
    last = "".join(
        f" {entry.code} stands at the one output that is left." for entry in sure if entry.state == ELIMINATED
    )
    if not doubtful:
        return f"Each of the {len(sure)} classes is confirmed at its output.{last}"
    few = [f"{entry.code} ({entry.lesions})" for entry in doubtful if entry.lesions < FEWEST_LESIONS]
    reason = f" Too few lesions in the half that tests, {FEWEST_LESIONS} are needed: {', '.join(few)}." if few else ""
    codes = ", ".join(entry.code for entry in doubtful)
    return (
        f"{len(sure)} of {len(verdict.classes)} classes are confirmed at their outputs. Undetermined: {codes}.{reason}"
    )


def _part(part: Finding) -> str:
    title = TITLES[part.name]
    if part.rival is None:
        return f"{title}: no other value was tried."
    if part.confirmed:
        return f"{title}: {part.value}. {_worse(part)[0].upper()}{_worse(part)[1:]}."
    return f"{title} is undetermined: the evidence does not separate {part.value} and {part.rival}."


def _worse(part: Finding) -> str:
    found = part.difference
    if found is None:
        return "there is no rival"
    return f"the closest rival, {part.rival}, is worse by {found.value:.2f} nats (surely by {found.low:.2f})"
