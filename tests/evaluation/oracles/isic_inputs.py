"""Random and pathological challenge files, the same on every Python: only `random.Random` and exact decimals."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

CASES = 240
BAD_IMAGE = "ISIC_0035068"
"""The one image that the challenges do not count."""
Row = list[float]


@dataclass(frozen=True)
class Case:
    """n images, C classes: names (n,), truth (n,) as class index, values (n, C) in [0, 1]."""

    kind: str
    names: list[str]
    classes: list[str]
    truth: list[int]
    values: list[Row]


def _soft(random: Random, classes: int, truth: int) -> Row:
    weights = [random.expovariate(1) + (k == truth) * random.choice((0, 1, 3)) for k in range(classes)]
    return [round(weight / sum(weights), 6) for weight in weights]


def _tied(random: Random, classes: int, truth: int) -> Row:
    """Two or more classes share the maximum."""
    row = [random.choice((0.0, 0.1, 0.25)) for _ in range(classes)]
    for k in random.sample(range(classes), min(classes, random.choice((1, 2, 3)))):
        row[k] = 0.4
    return row


def _half(random: Random, classes: int, truth: int) -> Row:
    """Exactly 0.5, which is not above 0.5."""
    row = [0.5 / (classes - 1)] * classes
    row[random.choice((truth, random.randrange(classes)))] = 0.5
    return row


def _constant(random: Random, classes: int, truth: int) -> Row:
    """The first column says the same of every image."""
    return [0.3, *_soft(random, classes, truth)[1:]]


def _never(random: Random, classes: int, truth: int) -> Row:
    """No value is above 0.5: everything is negative."""
    return [value * 0.49 for value in _soft(random, classes, truth)]


def _zeros_and_ones(random: Random, classes: int, truth: int) -> Row:
    found = truth if random.random() < 0.7 else random.randrange(classes)
    return [float(k == found) for k in range(classes)]


def _extreme(random: Random, classes: int, truth: int) -> Row:
    """Zeros and ones in any number: rows that sum to anything."""
    return [float(random.random() < (0.8 if k == truth else 0.2)) for k in range(classes)]


def _coarse(random: Random, classes: int, truth: int) -> Row:
    """Few distinct values, so that the ROC curves have long steps across 80 % sensitivity."""
    return [min(1.0, random.randrange(5) / 5 + (k == truth) * 0.2) for k in range(classes)]


KINDS: list[Callable[[Random, int, int], Row]] = [
    _soft,
    _tied,
    _half,
    _constant,
    _never,
    _zeros_and_ones,
    _extreme,
    _coarse,
]


def case(seed: int) -> Case:
    """Make one case; every class has an image that counts."""
    random = Random(seed)
    kind = KINDS[seed % len(KINDS)]
    classes = random.randint(2, 9)
    images = classes + random.choice((0, 1, 3, 20, 60))
    truth = [
        *range(classes),
        *(min(random.randrange(classes), random.randrange(classes)) for _ in range(images - classes)),
    ]
    random.shuffle(truth)
    names = [f"ISIC_{number:07d}" for number in range(images)]
    if seed % 3 == 0:
        truth.append(random.randrange(classes))
        names.append(BAD_IMAGE)
    values = [kind(random, classes, label) for label in truth]
    return Case(kind.__name__.strip("_"), names, [f"C{k}" for k in range(classes)], truth, values)
