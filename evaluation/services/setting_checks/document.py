"""What a setting check found: its page, its API answer and its manifest read this and nothing else."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from evaluation.documents.setting_check import Fills, OrderFinding, Said, Sample, SettingResult, Tried
from evaluation.metrics.sample import Floats
from evaluation.models import LabelledImage, SettingCheck
from evaluation.setting import search
from evaluation.setting.evidence import log_probabilities
from evaluation.setting.filling import filled_classes, filled_input, filled_output
from evaluation.setting.search import FIELDS, Ask, Half, Question
from evaluation.setting.verdict import Verdict
from evaluation.setting.wording import sentences

SAMPLES = 12


def document_of(
    check: SettingCheck, question: Question, verdict: Verdict, drawn: Mapping[Half, Sequence[LabelledImage]], ask: Ask
) -> SettingResult:
    """Raises ValidationError where a figure is no number."""
    best = verdict.best
    return SettingResult(
        seed=check.seed,
        claims=verdict.speaks,
        enough=verdict.enough,
        sentences=sentences(verdict, question),
        images={half: len(images) for half, images in drawn.items()},
        lesions={half: pictures.lesion_count for half, pictures in question.halves.items()},
        labels=Counter(image.label for images in drawn.values() for image in images),
        reached=verdict.reached,
        chance=verdict.chance,
        knowing_nothing=float(np.log(len(question.present))),
        informative=verdict.informative,
        order=OrderFinding(**vars(verdict.order), codes=_order(question, best)),
        parts=verdict.parts,
        classes=verdict.classes,
        tried=[
            _tried(entry, best=entry.spec == best.spec) for entry in sorted(verdict.tried, key=lambda tried: tried.loss)
        ],
        candidates=[_tried(entry) for entry in (best, verdict.second) if entry],
        samples=_samples(question, verdict, drawn["test"], ask),
        fills=_fills(check, question, verdict),
        order_left_open=verdict.speaks and filled_classes(question.codes, verdict.classes) is None,
    )


def _tried(tried: search.Tried, *, best: bool = False) -> Tried:
    parts = {name: value(tried.spec) for name, value in FIELDS.items()}
    return Tried(**parts, order=tried.order, loss=tried.loss, balanced_accuracy=tried.balanced_accuracy, best=best)


def _order(question: Question, tried: search.Tried) -> list[str | None]:
    """The classes in the order of the outputs; None where no class that occurs stands."""
    order: list[str | None] = [None] * len(question.codes)
    for code, output in zip(question.present, tried.places, strict=True):
        order[int(output)] = code
    return order


def _samples(question: Question, verdict: Verdict, images: Sequence[LabelledImage], ask: Ask) -> list[Sample]:
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
        Sample(image=images[place].pk, truth=question.present[truth[place]], answers=list(answers))
        for place, answers in zip(chosen, rows, strict=True)
    ]


def _said(question: Question, tried: search.Tried, probabilities: Floats) -> list[Said]:
    order = _order(question, tried)
    best = probabilities.argmax(1)
    return [
        Said(code=order[output], output=int(output), probability=float(row[output]))
        for output, row in zip(best, probabilities, strict=True)
    ]


def _fills(check: SettingCheck, question: Question, verdict: Verdict) -> Fills:
    """Return the parts of a manifest that are confirmed and other than registered."""
    fills: Fills = {}
    if not verdict.speaks:
        return fills
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
