"""What a setting check found, as JSON: its page, its API answer and its manifest read this and nothing else."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from evaluation.metrics.sample import Floats
from evaluation.models import LabelledImage, SettingCheck
from evaluation.setting.evidence import Difference, log_probabilities
from evaluation.setting.filling import filled_classes, filled_input, filled_output
from evaluation.setting.search import FIELDS, Ask, Half, Question, Tried
from evaluation.setting.verdict import Finding, Verdict
from evaluation.setting.wording import sentences

SCHEMA = 1
SAMPLES = 12
Document = dict[str, Any]


def document_of(
    check: SettingCheck, question: Question, verdict: Verdict, drawn: Mapping[Half, Sequence[LabelledImage]], ask: Ask
) -> Document:
    tried = sorted(verdict.tried, key=lambda entry: entry.loss)
    return {
        "schema": SCHEMA,
        "seed": check.seed,
        "images": {half: len(images) for half, images in drawn.items()},
        "lesions": {half: pictures.lesion_count for half, pictures in question.halves.items()},
        "labels": dict(Counter(image.label for images in drawn.values() for image in images)),
        "claims": verdict.speaks,
        "enough": verdict.enough,
        "sentences": sentences(verdict, question),
        "reached": verdict.reached,
        "chance": verdict.chance,
        "informative": _difference(verdict.informative),
        "knowing_nothing": float(np.log(len(question.present))),
        "tried": [_tried(entry) | {"best": entry.spec == verdict.best.spec} for entry in tried],
        "order": _finding(verdict.order) | {"codes": _order(question, verdict.best)},
        "parts": [_finding(part) for part in verdict.parts],
        "classes": [vars(entry) for entry in verdict.classes],
        "candidates": [_tried(entry) for entry in (verdict.best, verdict.second) if entry],
        "samples": _samples(question, verdict, drawn["test"], ask),
        "fills": _fills(check, question, verdict),
        "order_left_open": verdict.speaks and filled_classes(question.codes, verdict.classes) is None,
    }


def _tried(tried: Tried) -> Document:
    parts = {name: value(tried.spec) for name, value in FIELDS.items()}
    return parts | {"order": tried.order, "loss": tried.loss, "balanced_accuracy": tried.balanced_accuracy}


def _finding(found: Finding) -> Document:
    return vars(found) | {"difference": _difference(found.difference)}


def _difference(found: Difference | None) -> Document | None:
    """An end that is infinite is undefined in JSON."""
    if found is None:
        return None
    return {name: value if np.isfinite(value) else None for name, value in vars(found).items()}


def _order(question: Question, tried: Tried) -> list[str | None]:
    """The classes in the order of the outputs; None where no class that occurs stands."""
    order: list[str | None] = [None] * len(question.codes)
    for code, output in zip(question.present, tried.places, strict=True):
        order[int(output)] = code
    return order


def _samples(question: Question, verdict: Verdict, images: Sequence[LabelledImage], ask: Ask) -> list[Document]:
    """Pictures of the half that tests, the classes in turns, with what the two best candidates say of them."""
    truth = question.halves["test"].truth
    turns = sorted(range(len(images)), key=lambda place: (int((truth[:place] == truth[place]).sum()), place))
    chosen = turns[:SAMPLES]
    said = []
    for tried in filter(None, (verdict.best, verdict.second)):
        values = log_probabilities(ask(tried.spec, "test"), question.output)
        said.append(_said(question, tried, np.exp(values[chosen])))
    rows = zip(*said, strict=True)
    return [
        {"image": images[place].pk, "truth": question.present[truth[place]], "answers": list(answers)}
        for place, answers in zip(chosen, rows, strict=True)
    ]


def _said(question: Question, tried: Tried, probabilities: Floats) -> list[Document]:
    order = _order(question, tried)
    best = probabilities.argmax(1)
    return [
        {"code": order[output], "output": int(output), "probability": float(row[output])}
        for output, row in zip(best, probabilities, strict=True)
    ]


def _fills(check: SettingCheck, question: Question, verdict: Verdict) -> Document:
    """Return the parts of a manifest that are confirmed and other than registered."""
    if not verdict.speaks:
        return {}
    fills: Document = {}
    spec = filled_input(question.base, verdict)
    if spec != question.base:
        fills["input"] = spec.model_dump(mode="json")
    if (output := filled_output(question, verdict)) != question.output:
        fills["output"] = output
    order = filled_classes(question.codes, verdict.classes)
    if order is not None and order != question.codes:
        registered = dict(zip(question.codes, check.model.manifest["classes"], strict=True))
        fills["classes"] = [registered[code] for code in order]
    return fills
