"""The shapes of the contract, as OpenAPI describes them."""

from datetime import datetime
from typing import Any, Literal

from ninja import Schema
from pydantic import Field

from evaluation.documents.training_overlap import TrainingOverlap
from evaluation.intake.table import Column, ColumnMapping, Columns, Refused
from evaluation.metrics.catalogue import HEADLINE

NUMBERS = f"Each is {{value, low, high}}: {', '.join(f'{metric.code} ({metric.title})' for metric in HEADLINE)}."
JobState = Literal["queued", "running", "done", "failed", "cancelled"]


class Failure(Schema):
    code: str
    message: str
    hint: str


class OccurringClass(Schema):
    name: str
    malignant: bool | None


class DataSet(Schema):
    """Labelled images."""

    id: str
    name: str
    state: JobState
    created: datetime
    published: bool
    synthetic: bool
    images: int = Field(description="usable pictures")
    lesions: int
    classes: dict[str, int]
    labels: dict[str, OccurringClass] = Field(description="by code")
    decoded: int
    total: int
    refused: list[Refused]
    warnings: list[str]
    columns: list[Column] = Field(description="of the label table")
    guess: Columns
    mapping: ColumnMapping
    page: str
    error: Failure | None


class EvaluatedModel(Schema):
    id: str
    name: str
    version: str
    sha256: str


class FailedImage(Schema):
    image: str
    code: str
    message: str


class Evaluation(Schema):
    """One model on one data set."""

    id: str
    state: JobState
    stage: str
    dataset: str
    model: EvaluatedModel
    engine: str
    done: int
    total: int
    reused: int
    failed_images: int
    failures: list[FailedImage]
    seconds: float | None
    seconds_left: float | None
    images_per_second: float | None
    sheets: dict[str, Any] | None = Field(description=f"textbook and isic; null until done. {NUMBERS}")
    without_place: dict[str, int] = Field(description="truths that no class of the model holds")
    seen: TrainingOverlap | None
    page: str
    predictions: str
    error: Failure | None


class NewEvaluation(Schema):
    dataset: str
    model: str


class NewComparison(Schema):
    evaluations: list[str] = Field(max_length=100)
    taxonomy: str


class Comparison(Schema, extra="allow"):
    """Evaluations on the same images, in one taxonomy."""

    id: str
    state: JobState
    dataset: str
    evaluations: list[str]
    taxonomy: str
    images: int | None
    excluded: list[dict[str, Any]]
    models: list[dict[str, Any]]
    pairs: list[dict[str, Any]]
    groups: list[list[str]]
    smallest_difference: float | None
    page: str
    error: Failure | None
