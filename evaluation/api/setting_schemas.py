"""The shapes of setting checks, as OpenAPI describes them."""

from typing import Any

from ninja import Schema
from pydantic import Field

from evaluation.api.schemas import Failure, JobState


class NewSettingCheck(Schema):
    dataset: str
    seed: int | None = Field(None, ge=0, le=10**6, description="draws the pictures; the same seed gives the same check")


class Difference(Schema):
    """In nats of log loss, with a one-sided 99 % lesion bootstrap at each end."""

    value: float
    low: float | None
    high: float | None


class Finding(Schema):
    """`value` is the winner's, `rival` the other value that comes closest, `difference` how much worse that is."""

    name: str
    value: str
    rival: str | None
    difference: Difference | None
    confirmed: bool


class OrderFinding(Finding):
    codes: list[str | None] = Field(description="in the order of the outputs; null where no class that occurs stands")


class ClassFinding(Schema):
    code: str
    output: int | None
    lesions: int = Field(description="in the half that tests")
    state: str = Field(description="confirmed, by elimination, or undetermined")
    share: float | None = Field(description="of bootstrap replicates in which no better order moves the class")


class Tried(Schema):
    """A setting on the half that searches, with its best order."""

    color: str
    scaling: str
    resize: str
    interpolation: str
    antialias: str
    order: str
    loss: float
    balanced_accuracy: float
    best: bool


class SettingResult(Schema):
    claims: bool = Field(description="false: the evidence is too small or like chance, and nothing is confirmed")
    sentences: list[str]
    images: dict[str, int]
    lesions: dict[str, int]
    reached: float = Field(description="best balanced accuracy of any setting, outputs assigned")
    chance: float = Field(description="what permuted labels reach in 1 of 100 searches")
    knowing_nothing: float = Field(description="log loss, in nats")
    order: OrderFinding
    parts: list[Finding]
    classes: list[ClassFinding]
    tried: list[Tried]
    fills: dict[str, Any] = Field(description="what filling in would change in the manifest")


class SettingCheck(Schema):
    """What a model's file cannot say, searched on labelled images."""

    id: str
    state: JobState
    model: str
    dataset: str
    seed: int
    done: int
    total: int
    result: SettingResult | None = Field(description="null until done")
    filled: str | None = Field(description="the model that was registered with what is confirmed")
    page: str
    error: Failure | None


class FilledModel(Schema):
    model: str
    name: str
    version: str
    state: str
