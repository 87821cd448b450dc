"""Where labels go: truths in a model's classes, and truths and probabilities in a comparison's taxonomy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from evaluation.metrics.sample import Floats
from skinsite.diagnoses import DIAGNOSES, NATIVE, SQUAMOUS, TAXONOMIES

COARSER: Mapping[str, tuple[str, ...]] = {
    "ak": ("akiec",),
    "scc_is": ("scc", "akiec"),
    "scc": ("akiec",),
    "scc_inv": ("scc",),
}
"""The classes that hold a code's lesions, nearest first: HAM10000's akiec is ak and scc in situ; invasive is none."""

Malignancy = Mapping[str, bool | None]


class Unreachable(ValueError):
    """A model cannot answer in this taxonomy; the message is a sentence for a person."""


def in_classes(truth: str, classes: Sequence[str], malignancy: Malignancy | None = None) -> str | None:
    """Return the model's class that holds a truth, or None where it has no place.

    A model with the classes benign and malignant holds whatever is known to be one of the two.
    """
    for place in (truth, *COARSER.get(truth, ())):
        if place in classes:
            return place
    if {"benign", "malignant"} <= set(classes):
        known = DIAGNOSES[truth].malignant if truth in DIAGNOSES else (malignancy or {}).get(truth)
        return None if known is None else "malignant" if known else "benign"
    return None


@dataclass(frozen=True)
class Target:
    """A taxonomy as one comparison uses it: its classes, and where truths and each model's classes go."""

    name: str
    classes: tuple[str, ...]
    truths: Mapping[str, str]

    def truth(self, code: str) -> str | None:
        return self.truths.get(code)


def target(name: str, models: Sequence[Sequence[str]], truths: Mapping[str, bool | None]) -> Target:
    """Return the taxonomy for these models' classes and these truth codes (with their malignancy).

    Raises Unreachable for a name that is not known, and for `native` where the models' classes differ.
    """
    if name == NATIVE:
        if any(set(classes) != set(models[0]) for classes in models):
            raise Unreachable("The models do not share all their classes: choose one of the other taxonomies.")
        found = {code: in_classes(code, models[0], truths) for code in truths}
        return Target(name, tuple(models[0]), {code: place for code, place in found.items() if place})
    if name not in TAXONOMIES:
        raise Unreachable(f"The taxonomy {name!r} is not known. Known are: {', '.join([*TAXONOMIES, NATIVE])}.")
    taxonomy = TAXONOMIES[name]
    places = dict(taxonomy.places)
    if taxonomy.by_malignancy:
        places |= _by_malignancy({code: known for code, known in truths.items() if code not in DIAGNOSES})
    if name == "malignant_strict" and any("akiec" in classes for classes in models):
        places = {code: place for code, place in places.items() if code not in SQUAMOUS}
    return Target(name, taxonomy.classes, places)


def mapping(name: str, model: str, classes: Malignancy, override: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return where each of a model's classes (with its malignancy) goes; one without a place is left out.

    `override` replaces single places; an empty text takes one away. Raises Unreachable, with the model's name, if a
    class of the taxonomy gets nothing.
    """
    if name == NATIVE:
        return {code: code for code in classes}
    taxonomy = TAXONOMIES[name]
    places = {code: taxonomy.places[code] for code in classes if code in taxonomy.places}
    if taxonomy.by_malignancy:
        places |= _by_malignancy({code: known for code, known in classes.items() if code not in DIAGNOSES})
    if name == "melanoma":
        places |= {code: "other" for code in classes if code not in places and "mel" in classes}
    for code, place in (override or {}).items():
        if place in taxonomy.classes and code in classes:
            places[code] = place
        else:
            places.pop(code, None)
    if missing := sorted(taxonomy.needs - set(places.values())):
        raise Unreachable(
            f"{model} cannot be scored as {name} ({taxonomy.title.lower()}): nothing of it stands for "
            f"{', '.join(missing)}. Choose another taxonomy or leave this model out."
        )
    return places


def summed(probabilities: Floats, classes: Sequence[str], places: Mapping[str, str], into: Sequence[str]) -> Floats:
    """Sum (n, C) probabilities of a model's classes into (n, T) of the taxonomy, and let each row sum to 1.

    A row without any mass in the taxonomy becomes uniform.
    """
    table = np.zeros((len(classes), len(into)))
    for row, code in enumerate(classes):
        if code in places:
            table[row, into.index(places[code])] = 1
    mass = probabilities @ table
    total = mass.sum(1, keepdims=True)
    return np.where(total > 0, mass / np.where(total > 0, total, 1), 1 / len(into))


def _by_malignancy(codes: Malignancy) -> dict[str, str]:
    return {code: "malignant" if known else "benign" for code, known in codes.items() if known is not None}
