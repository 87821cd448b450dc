"""The shapes of the contract, as OpenAPI describes them."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from ninja import Schema
from pydantic import BeforeValidator, Field, GetJsonSchemaHandler, field_validator
from pydantic.json_schema import JsonSchemaValue

from classifier.inference.input.clinical import canonical_site
from classifier.inference.input.manifest import Json, PartialManifest
from classifier.services.cases.history import SORTINGS
from skinsite.api.parsing import Text

JobState = Literal["queued", "running", "done", "failed", "cancelled"]
CaseState = Literal["running", "done", "failed", "cancelled"]


def _none_if_empty(value: Any) -> Any:
    """A form's empty field and a query's `model=` say nothing."""
    return None if isinstance(value, str) and not value.strip() else value


Maybe = BeforeValidator(_none_if_empty)


class ModelClass(Schema):
    code: str
    name: str
    malignant: bool | None


class Check(Schema):
    check: str
    passed: bool
    detail: str


class Model(Schema):
    """A registered, immutable version of a classifier."""

    id: str
    name: str
    version: str
    framework: Literal["keras", "torch"] | None = Field(description="null until the file has been looked at")
    architecture: str | None
    state: Literal["checking", "ready", "refused", "retired"]
    default: bool = Field(description="preselected for a new case")
    classes: list[ModelClass]
    input: dict[str, Any] | None = Field(description="as in the manifest")
    output: str | None
    training_data: list[Any]
    licence: str
    layer: str | None = Field(description="where the heat maps are taken")
    parameters: int | None
    sha256: str | None = Field(description="of the weights")
    upload_sha256: str
    created: datetime
    report: list[Check]
    measured: dict[str, Any] = Field(description="milliseconds, bytes, seconds of each stage, sensitivity to plumbing")
    card: str = Field(description="address of the model's page")
    error: dict[str, Any] | None = Field(description="why it was refused: code, message, hint")


class ModelList(Schema):
    items: list[Model]
    next: str | None


class _AsManifest:
    """Described as a manifest and checked by the admission, which refuses a model and not the request."""

    @classmethod
    def __get_pydantic_json_schema__(cls, _schema: Any, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return handler(PartialManifest.__pydantic_core_schema__)


class Recheck(Schema):
    """Another manifest for the file of a refused model."""

    manifest: Annotated[Json, _AsManifest]


class UsedModel(Schema):
    id: str
    name: str
    version: str
    sha256: str


class Top(Schema):
    code: str
    name: str
    probability: float


class Timings(Schema):
    """Milliseconds."""

    queued: float | None
    load: float | None
    predict: float | None
    explain: float | None


class Reason(Schema):
    code: str
    message: str


class ExplanationLink(Schema):
    """A heat map of the class that won, and where to get it as a picture."""

    method: str
    target: str | None
    layer: str | None
    url: str | None = Field(description="a PNG, by token or session")
    error: Reason | None


class Failure(Reason):
    hint: str


class Prediction(Schema):
    """One model on one image."""

    id: str
    model: UsedModel
    state: JobState
    top: Top | None
    probabilities: dict[str, float] | None = Field(description="by class code; they sum to 1")
    scores: dict[str, float] | None = Field(description="raw values of several sigmoids")
    explanation: ExplanationLink | None
    engine: str
    timings_ms: Timings
    queued: datetime
    started: datetime | None
    finished: datetime | None
    queue_position: int | None = Field(description="from 1; null unless queued")
    attempts: int
    error: Failure | None


class Image(Schema):
    id: str
    name: str
    sha256: str = Field(description="of the decoded pixels")
    width: int
    height: int
    changes: list[str] = Field(description="what decoding did to the file")
    url: str = Field(description="the pixels as PNG, lossless, by token or session")
    predictions: list[Prediction]


class RefusedFile(Schema):
    file: str
    reason: str


class Case(Schema):
    """One submission: images of one lesion, and what the models say."""

    id: str
    title: str
    created: datetime
    state: CaseState
    age: float | None
    sex: str | None
    site: str | None
    reference: str | None
    note: str
    refused: list[RefusedFile]
    page: str = Field(description="address of the case's page")
    images: list[Image]


class CaseList(Schema):
    items: list[Case]
    next: str | None = Field(description="address of the next page")


class ExplanationState(Schema):
    """The maps are not there yet: ask again."""

    method: str
    state: JobState
    error: Failure | None


class MapFact(Schema):
    """What is known about this map or the maps of this model."""

    check: str
    passed: bool | None = Field(description="null where it does not apply or is not measured")
    detail: str


class Explanation(Schema):
    """Maps at the layer's own resolution, one for each class, NOT rescaled."""

    method: str
    target: str
    against: str | None = Field(description="the class whose maps are taken away from those of the others")
    layer: str
    rows: int
    columns: int
    region: list[float] | None = Field(description="left, top, right, bottom in px of the upright picture")
    maps: dict[str, list[list[float]]] = Field(description="what raises each class's score; not negative")
    lowers: dict[str, list[list[float]]] = Field(description="what lowers it; not negative either")
    checks: list[MapFact]


class CaseFields(Schema):
    """The fields of a submission beside its images; everything but the models may be left out."""

    models: list[str] = Field(min_length=1, description="ids of ready models; repeat the field for several")
    title: Annotated[Text, Field(max_length=200)] = ""
    age: Annotated[float | None, Maybe, Field(ge=0, le=120, allow_inf_nan=False, description="in years")] = None
    sex: Annotated[str, Field(description="female or male")] = ""
    site: Annotated[str, Field(description="a word of HAM10000 or the ISIC Archive, any case")] = ""
    reference: Annotated[str, Field(description="code of the known diagnosis")] = ""
    note: Annotated[Text, Field(max_length=5000)] = ""

    @field_validator("sex")
    @classmethod
    def known_sex(cls, word: str) -> str:
        sex = word.strip().lower()
        if sex not in ("", "female", "male"):
            raise ValueError("The sex is female or male; leave it out if it is unknown.")
        return sex

    @field_validator("site")
    @classmethod
    def known_site(cls, word: str) -> str:
        return canonical_site(word) if word.strip() else ""


class CaseQuery(Schema):
    """What to list; empty values ask for nothing."""

    q: Annotated[Text, Field(max_length=200, description="in titles, notes and file names")] = ""
    model: Annotated[str, Field(description="id of a model that predicted")] = ""
    diagnosis: Annotated[str, Field(description="code, predicted or reference")] = ""
    state: Annotated[CaseState | None, Maybe] = None
    since: Annotated[date | None, Maybe] = Field(None, alias="from", description="first day, UTC")
    to: Annotated[date | None, Maybe, Field(description="last day, UTC")] = None
    sort: Annotated[str, Field(description=f"one of: {', '.join(SORTINGS)}")] = ""
    limit: int = Field(25, ge=1, le=200)
    cursor: Annotated[Text, Field(max_length=2000, description="from `next` of the page before")] = ""
