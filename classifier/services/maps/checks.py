"""What is known about a map, and about the maps of its model: a list of checks, each with a sentence."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from django.http import HttpRequest
from django.utils.text import get_text_list

from classifier import extension_points
from classifier.inference.explain.explain import ExplanationMethod
from classifier.models import Prediction
from classifier.services.maps.view import Floats, Maps

NATIVE = "native"
CONSTANT = 1e-6
"""A map whose range is below this share of its largest value says nothing about places."""


@dataclass(frozen=True)
class Fact:
    """`passed` is None where the check does not apply, or nobody has measured it."""

    check: str
    passed: bool | None
    detail: str


def facts_of(
    request: HttpRequest, *, prediction: Prediction, maps: Maps, method: ExplanationMethod, person: Any
) -> list[Fact]:
    """Return this map's own checks, then what other apps have measured of the model's maps and the person may see."""
    own = [_engine(prediction), _says_something(prediction, maps), _contrast(prediction, maps, method)]
    told = extension_points.facts("map-facts", request, model=prediction.model, method=method, person=person)
    return [*own, *(fact for entry in told for fact in entry)]


def in_short(facts: list[Fact]) -> str:
    """Say how many passed of the checks that were made, which did not, and how many were not made."""
    made = [fact for fact in facts if fact.passed is not None]
    failed = [fact.check for fact in made if not fact.passed]
    said = f"{len(made) - len(failed)} of {len(made)} checks passed" + (f"; not: {', '.join(failed)}" if failed else "")
    return said + (f"; {len(facts) - len(made)} not measured" if len(made) < len(facts) else "")


def _engine(prediction: Prediction) -> Fact:
    """What admission found when it compared the engine with the framework."""
    if prediction.engine == NATIVE:
        return Fact("engine", None, "The framework itself answered: there is nothing to compare it with.")
    rows = [row for row in prediction.model.report if row["check"] == "engine"]
    if not rows:
        return Fact("engine", None, "The admission report compares no engine with the framework.")
    passed = all(row["passed"] for row in rows)
    return Fact("engine", passed, f"At admission: {'; '.join(row['detail'].partition(';')[0] for row in rows)}.")


def _says_something(prediction: Prediction, maps: Maps) -> Fact:
    """Is the map of the class that won the same everywhere? The other classes' are named."""
    names = prediction.model.class_names
    constant = [names.get(code, code).lower() for code in maps.codes if _is_constant(maps.map(code))]
    top = names.get(prediction.top_code, prediction.top_code).lower()
    if top in constant:
        return Fact("not constant", False, f"The map of {top}, the class that won, is the same everywhere.")
    if constant:
        others = get_text_list(constant, "and")
        return Fact("not constant", True, f"Only the maps of other classes are the same everywhere: {others}.")
    return Fact("not constant", True, "The map of every class differs from place to place.")


def _contrast(prediction: Prediction, maps: Maps, method: ExplanationMethod) -> Fact:
    if not method.linear:
        return Fact("contrast", None, f"{method.label} is not linear in the score, so two classes have no contrast.")
    if not maps.against:
        text = "Logits have no common zero: a map may hold what all classes share. Only a contrast is free of it."
        return Fact("contrast", None, text)
    against = prediction.model.class_names.get(maps.against, maps.against).lower()
    if all(not maps.map(code).any() for code in maps.codes):
        return Fact("contrast", False, f"Every class has the same map as {against}: no place speaks for either.")
    text = f"Each map is the class's own less that of {against}, which is exact: {method.label} is linear in the score."
    return Fact("contrast", True, text)


def _is_constant(values: Floats) -> bool:
    return float(np.ptp(values)) <= CONSTANT * float(np.abs(values).max())
