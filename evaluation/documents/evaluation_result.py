"""What an evaluation found: metrics.json without provenance."""

from pydantic import Field

from evaluation.documents.shapes import Bin, Curve, DecisionCurve, Histogram, IsicSheet, Point, Reached, Subgroup
from evaluation.documents.sheet import Measured, ScoredDocument, Sheet
from skinsite.stored_document import Part


class Curves(Part):
    """By class; a curve is null where all images are of the class."""

    roc: dict[str, Curve | None]
    precision_recall: dict[str, Curve | None]
    scores: dict[str, Histogram]
    reliability: list[Bin]


class BinaryResult(Part):
    """A definition of positive, and what one threshold for its score does."""

    title: str
    images: int
    positives: int
    auc: Measured
    thresholds: list[Point]
    exploratory: list[Reached]
    decision: DecisionCurve | None
    missed: list[tuple[int, float]] = Field(description="melanomas with the lowest scores: image and score")


class EvaluationResult(ScoredDocument):
    unit: str = Field(description="of the intervals: patients, lesions or images")
    names: dict[str, str]
    truths: dict[str, int]
    mapped: dict[str, dict[str, int]] = Field(description="truths that count as another class of the model")
    without_place: dict[str, int] = Field(description="truths that no class of the model holds")
    textbook: Sheet
    isic: IsicSheet | None
    isic_reason: str
    unseen: Sheet | None = Field(None, description="of the images that were not in training, where some were")
    seen: Sheet | None = None
    curves: Curves
    subgroups: list[Subgroup]
    binary: dict[str, BinaryResult]
    figures: dict[str, dict[str, str]] = Field({}, description="stored files by kind and form")
