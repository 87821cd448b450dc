"""What a comparison found. Models go by the ids of their evaluations."""

from pydantic import Field

from evaluation.documents.shapes import Reached
from evaluation.documents.sheet import Measured, ScoredDocument, Sheet
from skinsite.stored_document import Part


class Excluded(Part):
    reason: str
    images: int


class ComparedModel(Part):
    evaluation: str
    name: str
    mapping: dict[str, str]
    sheet: Sheet
    sum_changed: int = Field(description="images whose class differs when the arg max is mapped instead of the sums")


class Pair(Part):
    """The difference of two models in one metric; only the primary metric has a `p_holm`."""

    a: str
    b: str
    metric: str
    difference: float | None
    low: float | None
    high: float | None
    p: float | None
    p_holm: float | None
    test: str
    smallest_difference: float | None = None
    also: dict[str, str | float] | None = Field(None, description="another `test` of the same, and its `p`")


class ReachedBy(Reached):
    evaluation: str


class Spared(Part):
    """The difference of two models' specificities."""

    a: str
    b: str
    specificity: Measured


class Aim(Part):
    target: float
    models: list[ReachedBy]
    pairs: list[Spared]


class SameSensitivity(Part):
    definition: str
    title: str
    images: int
    targets: list[Aim]


class Wins(Part):
    """By class, how many images only the first, only the second, both and neither got right."""

    a: str
    b: str
    classes: dict[str, dict[str, int]]


class Said(Part):
    predicted: str
    probabilities: list[float]


class Disagreement(Part):
    image: int
    truth: str
    answers: dict[str, Said]


class Elsewhere(Part):
    """Where a model put the images whose truth has no place in the taxonomy."""

    evaluation: str
    images: int
    put: dict[str, int]


class BalancedAccuracy(Part):
    evaluation: str
    balanced_accuracy: Measured


class WithoutSquamous(Part):
    images: int
    notice: str
    models: list[BalancedAccuracy]


class ComparisonResult(ScoredDocument):
    permutations: int
    primary: str
    classes: list[str]
    images: int
    lesions: int
    excluded: list[Excluded]
    models: list[ComparedModel]
    pairs: list[Pair]
    groups: list[list[str]]
    smallest_difference: float
    same_sensitivity: list[SameSensitivity] = []
    wins: list[Wins]
    disagreements: list[Disagreement] = Field(description="the largest distances of two distributions first")
    elsewhere: list[Elsewhere]
    without_squamous: WithoutSquamous | None = None
