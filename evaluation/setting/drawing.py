"""Which pictures a check uses: balanced by class, in two halves that share no lesion."""

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

MOST_IMAGES = 300


@dataclass(frozen=True)
class Draw:
    """Positions in what was drawn from: one half to search on, the other to test on."""

    search: tuple[int, ...]
    test: tuple[int, ...]


def connected(marks: Sequence[Collection[str]]) -> list[str]:
    """Return a unit for each picture (n,): those with a common mark are one, and so is whatever hangs together by them.

    Marks are what pictures may share: a patient, a lesion, the same pixels.
    """
    known: dict[str, int] = {}
    pairs = [(place, known.setdefault(mark, len(known))) for place, own in enumerate(marks) for mark in own]
    size = len(marks) + len(known)
    pictures, shared = np.array(pairs, np.int64).reshape(-1, 2).T
    links = coo_array((np.ones(len(pairs)), (pictures, len(marks) + shared)), shape=(size, size))
    return [str(unit) for unit in connected_components(links, directed=False)[1][: len(marks)]]


def draw(labels: Sequence[str], units: Sequence[str], *, seed: int, most: int = MOST_IMAGES) -> Draw:
    """Draw at most `most` pictures from labels (n,) and units (n,), the lesions or patients (see `connected`).

    The classes take turns: each takes a picture of one more lesion, and a second picture of a lesion only when no
    other lesion of any class is left. A lesion goes to the half in which its class has fewer pictures, with all that is
    drawn of it.
    """
    taken, halves = (Counter[str](), Counter[str]()), (list[int](), list[int]())
    half_of: dict[str, int] = {}
    for position in _in_turns(labels, units, np.random.default_rng(seed))[:most]:
        label, unit = labels[position], units[position]
        lacking = (taken[0][label], len(halves[0])) > (taken[1][label], len(halves[1]))
        half = half_of.setdefault(unit, int(lacking))
        taken[half][label] += 1
        halves[half].append(position)
    return Draw(tuple(sorted(halves[0])), tuple(sorted(halves[1])))


def _in_turns(labels: Sequence[str], units: Sequence[str], rng: np.random.Generator) -> list[int]:
    """Return all positions, ordered by (how many pictures of its lesion came before, the turn, the class)."""
    repeats, turns = Counter[tuple[str, str]](), defaultdict[str, dict[str, int]](dict)
    ranked = []
    for position in map(int, rng.permutation(len(labels))):
        label, unit = labels[position], units[position]
        turn = turns[label].setdefault(unit, len(turns[label]))
        ranked.append((repeats[label, unit], turn, label, position))
        repeats[label, unit] += 1
    return [position for _repeat, _turn, _label, position in sorted(ranked)]
