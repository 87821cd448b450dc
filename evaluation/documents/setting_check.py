"""What a model's file cannot say, as a setting check found it on labelled images."""

import math
from typing import Annotated, Any

from pydantic import BeforeValidator, Field
from typing_extensions import TypedDict

from skinsite.stored_document import Part, StoredDocument

End = Annotated[float | None, BeforeValidator(lambda end: end if end is None or math.isfinite(end) else None)]
"""An end of an interval, which is undefined where it is infinite."""


class Difference(Part):
    """In nats of log loss, with a one-sided 99 % lesion bootstrap at each end."""

    value: float
    low: End
    high: End


class Finding(Part):
    """A part of the setting: the winner's value, the rival that comes closest on the half that tests, by how much."""

    name: str
    value: str
    rival: str | None
    difference: Difference | None
    confirmed: bool


class OrderFinding(Finding):
    codes: list[str | None] = Field(description="in the order of the outputs; null where no class that occurs stands")


class ClassFinding(Part):
    code: str
    output: int | None
    lesions: int = Field(description="in the half that tests")
    state: str = Field(description="confirmed, by elimination, or undetermined")
    share: float | None = Field(description="of replicates in which no better order moves the class; null with few")


class Tried(Part):
    """A setting on the half that searches, with its best order."""

    color: str
    scaling: str
    resize: str
    interpolation: str
    antialias: str
    order: str
    loss: float
    balanced_accuracy: float
    best: bool = False


class Said(Part):
    """The class that a candidate finds most probable, or null where no class that occurs stands at the output."""

    code: str | None
    output: int
    probability: float


class Sample(Part):
    """A picture of the half that tests, and what each of the candidates says of it."""

    image: int
    truth: str
    answers: list[Said]


class Fills(TypedDict, total=False):
    """What filling in would change in the manifest."""

    classes: list[Any]
    input: dict[str, str | bool | int | list[float]]
    output: str


class SettingResult(StoredDocument):
    seed: int
    claims: bool = Field(description="false: the evidence is too small or like chance, and nothing is confirmed")
    enough: bool = Field(description="lesions in each half")
    sentences: list[str]
    images: dict[str, int]
    lesions: dict[str, int]
    labels: dict[str, int] = Field(description="images by their label in the data set")
    reached: float = Field(description="best balanced accuracy of any setting, outputs assigned")
    chance: float = Field(description="what permuted labels reach in 1 of 100 searches")
    knowing_nothing: float = Field(description="log loss, in nats")
    informative: Difference = Field(description="how far the winner's log loss is below knowing nothing")
    order: OrderFinding
    parts: list[Finding]
    classes: list[ClassFinding]
    tried: list[Tried] = Field(description="best first")
    candidates: list[Tried] = Field(description="the winner, and the best that a person can tell apart from it")
    samples: list[Sample]
    fills: Fills
    order_left_open: bool = Field(description="an undetermined class would have to be guessed")
