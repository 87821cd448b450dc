"""The shapes of map checks, as OpenAPI describes them."""

from ninja import Schema
from pydantic import Field

from evaluation.api.schemas import Failure, JobState
from evaluation.documents.map_check import MapResult


class NewMapCheck(Schema):
    model: str
    dataset: str
    seed: int | None = Field(None, ge=0, le=10**6, description="draws the pictures; the same seed gives the same check")


class MapCheck(Schema):
    """How far a model's heat maps can be trusted, measured on the images of a data set."""

    id: str
    state: JobState
    model: str
    dataset: str | None = Field(description="null for the check at admission, on drawn pictures")
    seed: int
    done: int
    total: int
    busy_seconds: float
    result: MapResult | None = Field(description="null until done")
    page: str
    error: Failure | None
