"""The numbers of one model on some images, as evaluations and comparisons store them."""

from typing import Annotated, Any

from pydantic import ConfigDict, Field, PlainSerializer

from evaluation.documents.shapes import Confusion
from evaluation.metrics.number import Number, undefined
from skinsite.stored_document import Part, StoredDocument

SCHEMA = 1
Measured = Annotated[Number, PlainSerializer(Number.to_json, return_type=dict)]
"""Stored without a note where it has none."""


class Measurements(Part):
    """Numbers by their codes in the catalogue of metrics; an older document lacks those that came after it."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Measured] = Field(init=False)

    def number(self, code: str) -> Number:
        return (self.__pydantic_extra__ or {}).get(code) or undefined("not computed when this was scored")


class ClassRow(Measurements):
    support: int = Field(description="images of the class")
    lesions: int


class Sheet(Measurements):
    images: int
    lesions: int
    confusion: Confusion
    averaged_over: list[str]
    ties: int
    clipped: int = Field(description="images with a probability of the truth too small for its logarithm")
    ece_if_perfect: float | None = Field(None, description="of a perfectly calibrated model with these probabilities")
    per_class: dict[str, ClassRow]


class ScoredDocument(StoredDocument):
    """`version` is stored as `schema`, its name in metrics.json; a key that was not given is not stored."""

    version: int = Field(SCHEMA, alias="schema")
    seed: int
    replicates: int

    def to_json(self) -> dict[str, Any]:
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)
