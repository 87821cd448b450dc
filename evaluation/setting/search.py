"""The search: settings are tried in stages on one half, the finalists answer for the other half."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from classifier.inference.input.manifest import InputSpec
from evaluation.metrics.sample import Floats, Integers
from evaluation.setting import candidates
from evaluation.setting.assignment import assigned, balanced_accuracy, confusion
from evaluation.setting.evidence import Calibration, Pictures, calibrated, difference, log_probabilities

Half = Literal["search", "test"]
Ask = Callable[[InputSpec, Half], Floats]
"""Returns the logits (n, K) of the pictures of one half, read with this input."""
FREE = "by assignment"
FIELDS: Mapping[str, Callable[[InputSpec], str]] = {
    "color": lambda spec: spec.color,
    "scaling": lambda spec: candidates.scaling_of(spec).name,
    "resize": lambda spec: spec.resize,
    "interpolation": lambda spec: spec.interpolation,
    "antialias": lambda spec: "yes" if spec.antialias else "no",
}
"""What a setting consists of, and how each part is called."""


@dataclass(frozen=True, eq=False)
class Question:
    """What is asked: K outputs with the registered codes, the C classes that occur, and the pictures of both halves.

    `scarce` classes have labelled pictures, but not in both halves.
    """

    base: InputSpec
    codes: tuple[str, ...]
    output: str
    present: tuple[str, ...]
    halves: Mapping[Half, Pictures]
    scarce: frozenset[str] = frozenset()

    @property
    def orders(self) -> dict[str, Integers]:
        """The named orders as the outputs (C,) of the classes that occur."""
        return {
            name: np.array([order.index(code) for code in self.present])
            for name, order in candidates.orders(self.codes).items()
        }


@dataclass(frozen=True, eq=False)
class Tried:
    """A setting on the search half: log probabilities (n, K), the best order, its fit, log loss, balanced accuracy."""

    spec: InputSpec
    values: Floats
    order: str
    places: Integers
    calibration: Calibration
    loss: float
    balanced_accuracy: float


@dataclass(eq=False)
class Search:
    """Tries settings one stage after another; each stage begins at the best so far."""

    question: Question
    ask: Ask
    tried: dict[InputSpec, Tried] = field(default_factory=dict)

    def run(self) -> Tried:
        """Return the best setting. Colours, scaling and class order are searched together, then what they rest on.

        The rounds end when the best stays, so that each part's rivals include those that differ in nothing else.
        """
        self._try([candidates.canonical(self.question.base)])
        before = None
        while before is not self.best:
            before = self.best
            for stage in (self._colours, candidates.resizes, candidates.samplings):
                self._try(stage(self.best.spec))
        return self.best

    @property
    def best(self) -> Tried:
        return min(self.tried.values(), key=lambda tried: tried.loss)

    def best_other(self, name: str) -> Tried | None:
        """Return the best setting whose part of this name is another one than the best's."""
        return min(self._others(name), key=lambda tried: tried.loss, default=None)

    def rivals(self, name: str) -> list[Tried]:
        """Return the best setting with another part of this name, and all that are not surely worse on this half."""
        pictures = self.question.halves["search"]
        first = self.best_other(name)
        return [
            tried
            for tried in self._others(name)
            if tried is first or not difference(_losses(tried, pictures) - self._best_losses, pictures).sure
        ]

    def refitted(self, tried: Tried, order: str, places: Integers) -> Tried:
        """Return the same setting with another order."""
        return _fitted(tried.spec, tried.values, order, places, self.question)

    def test_values(self, tried: Tried) -> Floats:
        return log_probabilities(self.ask(tried.spec, "test"), self.question.output)

    @property
    def _best_losses(self) -> Floats:
        return _losses(self.best, self.question.halves["search"])

    def _others(self, name: str) -> list[Tried]:
        part = FIELDS[name]
        return [tried for tried in self.tried.values() if part(tried.spec) != part(self.best.spec)]

    def _colours(self, spec: InputSpec) -> list[InputSpec]:
        return candidates.colours_and_scalings(spec, self.question.base)

    def _try(self, specs: Sequence[InputSpec]) -> None:
        for spec in map(candidates.canonical, specs):
            if spec not in self.tried:
                values = log_probabilities(self.ask(spec, "search"), self.question.output)
                self.tried[spec] = _judged(spec, values, self.question)


def _judged(spec: InputSpec, values: Floats, question: Question) -> Tried:
    """Find the order, named or assigned, that fits best."""
    pictures = question.halves["search"]
    places = assigned(confusion(values.argmax(1), pictures.truth, len(question.present), values.shape[1]))
    orders = question.orders | {FREE: places}
    return min((_fitted(spec, values, *order, question) for order in orders.items()), key=lambda tried: tried.loss)


def _fitted(spec: InputSpec, values: Floats, order: str, places: Integers, question: Question) -> Tried:
    pictures = question.halves["search"]
    counts = confusion(values.argmax(1), pictures.truth, len(question.present), values.shape[1])
    calibration = calibrated(values, places, pictures)
    loss = float((pictures.weights * calibration.losses(values, places, pictures.truth)).sum())
    return Tried(spec, values, order, places, calibration, loss, balanced_accuracy(counts, places))


def _losses(tried: Tried, pictures: Pictures) -> Floats:
    return tried.calibration.losses(tried.values, tried.places, pictures.truth)
