"""What metrics look like as JSON: stored, drawn and answered like this. Types only, which every process may load."""

from typing import NotRequired

from typing_extensions import TypedDict


class StoredNumber(TypedDict):
    """A Number; without a note where it has none."""

    value: float | None
    low: float | None
    high: float | None
    note: NotRequired[str]


class Confusion(TypedDict):
    """`counts` are (C, C), rows are truths."""

    classes: list[str]
    counts: list[list[int]]


class Curve(TypedDict):
    x: list[float]
    y: list[float]
    low: list[float]
    high: list[float]
    prevalence: NotRequired[float]


class Bin(TypedDict):
    """Of the top label, from `low` to `high`."""

    low: float
    high: float
    images: int
    confidence: float | None
    accuracy: float | None
    accuracy_low: float | None
    accuracy_high: float | None


class Histogram(TypedDict):
    """How the scores of one class are spread, for its own pictures and for the others."""

    edges: list[float]
    positives: list[int]
    negatives: list[int]


class MalignantFound(StoredNumber):
    """The share of a subgroup's malignant pictures that were put into a malignant class, and their number."""

    images: int


class Subgroup(TypedDict):
    """The share of right answers; `malignant` only where it is known which pictures are."""

    attribute: str
    value: str
    images: int
    lesions: int
    sensitivity: StoredNumber
    note: str
    malignant: NotRequired[MalignantFound]


class Point(TypedDict):
    """The counts and rates at one threshold."""

    threshold: float
    tp: int
    fp: int
    fn: int
    tn: int
    sensitivity: StoredNumber
    specificity: StoredNumber


class Reached(Point):
    """At a sensitivity that was aimed at, on the data that chose the threshold."""

    target: float
    exploratory: bool


class DecisionCurve(TypedDict):
    """Net benefit of the score and of treating all, over threshold probabilities."""

    threshold: list[float]
    net_benefit: list[float]
    all: list[float]


class IsicSheet(TypedDict):
    """A value is null only where scikit-learn itself has none (one class is empty); the oldest have no confusion."""

    images: int
    balanced_accuracy: float | None
    macro: dict[str, float | None]
    per_class: dict[str, dict[str, int | float | None]]
    confusion: NotRequired[Confusion]
    averaged_over: list[str]
