"""What the other half says of the winner: each part of its setting, its order and each class, confirmed or not."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evaluation.documents.setting_check import ClassFinding, Finding
from evaluation.metrics.sample import Floats
from evaluation.setting.assignment import best_assigned, best_matching, chance
from evaluation.setting.evidence import (
    LEVEL,
    Calibration,
    Difference,
    Pictures,
    calibrated,
    difference,
    log_probabilities,
    widening,
)
from evaluation.setting.search import FIELDS, FREE, Question, Search, Tried
from evaluation.setting.titles import CONFIRMED, ELIMINATED, UNDETERMINED

FEWEST_LESIONS = 5
"""Of a class in the half that tests; 10 in all."""
FEWEST_IN_HALF = 30
"""A percentile bootstrap is used from 30 lesions up."""
FEWEST_FOR_CHANCE = 3
MATCHED_REPLICATES = 1000
TIE = 1e-9


@dataclass(frozen=True, eq=False)
class Verdict:
    """`reached` is the best balanced accuracy of any setting with its outputs assigned, `chance` what permuted labels
    reach in 1 of 100 searches. `informative`: how far the winner's log loss on the test half is below knowing nothing.
    """

    best: Tried
    second: Tried | None
    tried: tuple[Tried, ...]
    reached: float
    chance: float
    informative: Difference
    enough: bool
    order: Finding
    parts: tuple[Finding, ...]
    classes: tuple[ClassFinding, ...]

    @property
    def speaks(self) -> bool:
        """Whether anything may be claimed at all."""
        return _speaks(self.enough, self.reached, self.chance, self.informative)


def judge(search: Search, *, seed: int, open_output: bool) -> Verdict:
    """Search, then test the winner on the other half. `open_output`: the file does not say what its outputs are."""
    search.run()
    judged = _Judged(search)
    question, found = search.question, search.question.halves["search"]
    enough = min(pictures.lesion_count for pictures in question.halves.values()) >= FEWEST_IN_HALF
    reached, limit = _against_chance([tried.values for tried in search.tried.values()], found, seed)
    nothing = np.full(len(judged.losses), np.log(len(question.present)))
    informative = judged.compared(nothing, judged.losses)
    speaks = _speaks(enough, reached, limit, informative)
    parts = [judged.part(name, speaks) for name in FIELDS]
    if open_output and len(question.codes) > 2:
        parts.append(judged.output(speaks))
    return Verdict(
        best=judged.best,
        second=judged.second(),
        tried=tuple(search.tried.values()),
        reached=reached,
        chance=limit,
        informative=informative,
        enough=enough,
        order=judged.order(speaks),
        parts=tuple(parts),
        classes=judged.classes(speaks),
    )


def _against_chance(values: Sequence[Floats], pictures: Pictures, seed: int) -> tuple[float, float]:
    """Return the best balanced accuracy with assigned outputs, and what permuted labels reach in 1 of 100 searches.

    Classes with hardly any lesion would make both a matter of luck: they are left out if two others remain.
    """
    enough = pictures.lesions_by_class[pictures.truth] >= FEWEST_FOR_CHANCE
    kept = enough if len(np.unique(pictures.truth[enough])) > 1 else np.ones_like(enough)
    truth = np.unique(pictures.truth[kept], return_inverse=True)[1].reshape(-1)
    said = [answers[kept].argmax(1) for answers in values]
    outputs = values[0].shape[1]
    null = chance(said, truth, pictures.lesions[kept], outputs=outputs, seed=seed)
    return best_assigned(said, truth, outputs), float(np.quantile(null, LEVEL))


def _speaks(enough: bool, reached: float, limit: float, informative: Difference) -> bool:
    return enough and reached > limit and informative.sure


class _Judged:
    """The winner on the test half. Its order is a named one unless the assigned one is surely better."""

    def __init__(self, search: Search) -> None:
        self.search = search
        self.question: Question = search.question
        self.test: Pictures = self.question.halves["test"]
        self.values: Floats = search.test_values(search.best)
        self.named = sorted(
            (search.refitted(search.best, name, places) for name, places in self.question.orders.items()),
            key=lambda tried: tried.loss,
        )
        self.best = self.named[0]
        self.losses = self._losses(self.best, self.values)
        assigned = search.best
        if assigned.order == FREE and self.compared(self.losses, self._losses(assigned, self.values)).sure:
            self.best, self.losses = assigned, self._losses(assigned, self.values)

    def compared(self, rival: Floats, own: Floats) -> Difference:
        return difference(rival - own, self.test)

    def order(self, speaks: bool) -> Finding:
        """The winner's order against every other named one."""
        rivals = [tried for tried in self.named if tried.order != self.best.order]
        return self._finding("order", self.best.order, [(rival.order, rival, self.values) for rival in rivals], speaks)

    def part(self, name: str, speaks: bool) -> Finding:
        """One part of the setting against all others that the search half did not surely exclude."""
        value = FIELDS[name]
        rivals = [(value(rival.spec), rival, self.search.test_values(rival)) for rival in self.search.rivals(name)]
        return self._finding(name, value(self.best.spec), rivals, speaks)

    def output(self, speaks: bool) -> Finding:
        """Softmax against several sigmoids, on the winner's logits."""
        readings = {}
        for output in ("softmax", "sigmoid"):
            search, test = (
                log_probabilities(self.search.ask(self.best.spec, half), output) for half in ("search", "test")
            )
            fit = calibrated(search, self.best.places, self.question.halves["search"])
            readings[output] = fit.losses(test, self.best.places, self.test.truth)
        own, rival = sorted(readings, key=lambda name: float((self.test.weights * readings[name]).sum()))
        found = self.compared(readings[rival], readings[own])
        return Finding(name="output", value=own, rival=rival, difference=found, confirmed=speaks and found.sure)

    def second(self) -> Tried | None:
        """The best other candidate that a person can tell apart: another order, colours or scaling."""
        rivals = [tried for tried in self.named if tried.order != self.best.order]
        rivals += [other for name in ("color", "scaling") if (other := self.search.best_other(name))]
        return min(rivals, key=lambda tried: tried.loss, default=None)

    def classes(self, speaks: bool) -> tuple[ClassFinding, ...]:
        """Each class against the best orders that put it elsewhere; the last one left needs no evidence of its own."""
        question, places = self.question, self.best.places
        lesions = self.test.lesions_by_class
        shares = self._shares() if speaks else None
        found = []
        for code in question.codes:
            if code not in question.present:
                found.append(ClassFinding(code=code, output=None, lesions=0, state=UNDETERMINED, share=None))
                continue
            row = question.present.index(code)
            share = None if shares is None or lesions[row] < FEWEST_LESIONS else float(shares[row])
            sure = share is not None and share >= LEVEL
            state = CONFIRMED if sure else UNDETERMINED
            found.append(
                ClassFinding(code=code, output=int(places[row]), lesions=int(lesions[row]), state=state, share=share)
            )
        return _with_the_last_one(found, question) if speaks else tuple(found)

    def _shares(self) -> Floats:
        """Return for each class (C,) how often orders that put it at its output beat all that put it elsewhere.

        An order is as good as the sum over classes of the mean log probability at its output; what an output has for
        all classes alike is taken off, so that no output is favoured. The fitted offsets would favour those that the
        winner's order uses. A class with too few lesions shows no spread of its own and says nothing, least of all
        about the class that it may be mistaken for.
        """
        places, lesions = self.best.places, self.test.lesions_by_class
        enough = lesions >= FEWEST_LESIONS
        if not enough.any():
            return np.zeros(len(places))
        scores = self._even_scores(self.test.weights * enough[self.test.truth])
        means = self.test.class_means(scores)[:, :MATCHED_REPLICATES]
        centres = np.stack([scores[self.test.truth == row].mean(0) for row in range(len(places))])[:, None]
        tables = centres + widening(np.maximum(lesions - 1, 1))[:, None, None] * (means - centres)
        tables = np.where(enough[:, None, None], tables - tables[enough].mean(0), 0).swapaxes(0, 1)
        wins = np.zeros(len(places))
        for table in tables:
            best = best_matching(table) - TIE
            wins += [best > best_matching(table, without=(row, int(place))) for row, place in enumerate(places)]
        return np.asarray(wins / len(tables))

    def _even_scores(self, weights: Floats) -> Floats:
        """Return log scores (n, K) of which no output has more than another on average over pictures (n,)."""
        slope = self.best.calibration.slope
        offsets = -slope * (weights[:, None] * self.values).sum(0) / weights.sum()
        return Calibration(slope, offsets).log_scores(self.values)

    def _finding(self, name: str, value: str, rivals: Sequence[tuple[str, Tried, Floats]], speaks: bool) -> Finding:
        """The rival that comes closest decides."""
        found = [(label, self.compared(self._losses(rival, values), self.losses)) for label, rival, values in rivals]
        if not found:
            return Finding(name=name, value=value, rival=None, difference=None, confirmed=False)
        label, closest = min(found, key=lambda entry: entry[1].low)
        return Finding(name=name, value=value, rival=label, difference=closest, confirmed=speaks and closest.sure)

    def _losses(self, tried: Tried, values: Floats) -> Floats:
        return tried.calibration.losses(values, tried.places, self.test.truth)


def _with_the_last_one(found: Sequence[ClassFinding], question: Question) -> tuple[ClassFinding, ...]:
    """Where one class is undetermined and one output is left, they belong together.

    Unless the class has a few lesions: they might say something else, and are too few to be asked.
    """
    left = set(range(len(question.codes))) - {entry.output for entry in found if entry.state == CONFIRMED}
    if len(left) != 1:
        return tuple(found)
    last = next(entry for entry in found if entry.state != CONFIRMED)
    absent = last.code not in question.present and last.code not in question.scarce
    if not absent and last.lesions < FEWEST_LESIONS:
        return tuple(found)
    belongs = last.model_copy(update={"output": left.pop(), "state": ELIMINATED})
    return tuple(belongs if entry is last else entry for entry in found)
