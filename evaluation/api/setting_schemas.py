"""The shapes of setting checks, as OpenAPI describes them."""

from ninja import Schema
from pydantic import Field

from evaluation.api.schemas import Failure, JobState
from evaluation.documents.setting_check import SettingResult


class NewSettingCheck(Schema):
    dataset: str
    seed: int | None = Field(None, ge=0, le=10**6, description="draws the pictures; the same seed gives the same check")


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
