"""What the confined children of an admission may answer: nothing of it is believed before it has this shape."""

from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, Strict, ValidationError
from pydantic.json_schema import models_json_schema

from classifier.admission.known import architectures
from classifier.admission.refusal import Refusal, RefusalCode
from classifier.admission.report import Check
from classifier.inference.input.manifest import Json
from skinsite.sandbox.ask import TEXT_LENGTH, InvalidChildOutput

Text = Annotated[str, Field(max_length=TEXT_LENGTH)]
Count = Annotated[int, Field(ge=0, le=10**11)]
Place = Annotated[int, Field(ge=0, le=10_000)]
Axis = Annotated[int, Field(ge=0, le=3)]
Milliseconds = Annotated[float, Field(ge=0, le=10**7)]
Share = Annotated[float, Field(ge=0, le=1.0001)]
Row = Annotated[list[float], Field(min_length=2, max_length=1000)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)


class CheckRow(_Part):
    check: Annotated[str, Field(max_length=40)]
    passed: bool
    detail: Text


class Candidate(_Part):
    architecture: Json
    differs: Text


class Reason(_Part):
    code: Annotated[RefusalCode, Strict(False)]
    message: Text
    hint: Text
    candidates: Annotated[list[Candidate], Field(min_length=1, max_length=20)] = []


class Answer(_Part):
    """What every child answers: its checks."""

    report: Annotated[list[CheckRow], Field(max_length=200)]

    @property
    def checks(self) -> list[Check]:
        return [Check(row.check, row.passed, row.detail) for row in self.report]


class Refused(Answer):
    """The child found why there will be no bundle; the last of its checks says so too."""

    problem: Reason

    def refusal(self) -> Refusal:
        """Raises InvalidChildOutput for a candidate that no honest child offers."""
        reason = self.problem
        if not all(architectures.may_be_proposed(candidate.architecture) for candidate in reason.candidates):
            raise InvalidChildOutput("a candidate is none that is proposed")
        candidates = tuple(candidate.model_dump() for candidate in reason.candidates)
        check = self.report[-1].check if self.report else ""
        return Refusal(reason.code, reason.message, reason.hint, candidates, check=check)


class Converted(Answer):
    """`inferred` is a partial manifest, `outputs` the framework's probabilities on the drawn pictures."""

    framework: Literal["keras", "torch"]
    architecture: Text
    parameters: Count
    inferred: Json
    outputs: Annotated[list[Row], Field(min_length=2, max_length=20)]


class Sensitivity(_Part):
    """`largest`: of all probabilities and pictures, the largest absolute change; `changed`: answers that turned."""

    what: Text
    largest: Share
    changed: Count
    pictures: Count


class Unnamed(_Part):
    """How much of the probability the outputs without a name take."""

    outputs: Count
    mean: Share
    largest: Share


class Measured(_Part):
    predict_ms: Milliseconds
    load_ms: Milliseconds
    process_bytes: Count
    predict_bytes: Count
    plumbing: Annotated[list[Sensitivity], Field(max_length=10)] = []
    unnamed: Unnamed | None = None


class Probed(Answer):
    """`layer` is where maps are made, "" for nowhere."""

    layer: Text
    measured: Measured


class Layout(_Part):
    kind: Literal["channels-first", "channels-last", "tokens"]
    rows: Place
    columns: Place
    prefix: Place


class FeatureLayer(_Part):
    value: Annotated[str, Field(min_length=1, max_length=1000)]
    order: Annotated[list[Axis], Field(min_length=3, max_length=4, json_schema_extra={"uniqueItems": True})]
    layout: Layout


class Graph(_Part):
    """What is known of the graph in `network.onnx`: where its features are, and how far it is from the framework."""

    cut: FeatureLayer | None
    differs: Share
    maps_differ: Annotated[float, Field(ge=0)]
    native_ms: Milliseconds
    engine_ms: Milliseconds


class Offered(Answer):
    """`graph` is None where the framework itself answers."""

    graph: Graph | None


AnAnswer = TypeVar("AnAnswer", bound=Answer)


def schema(answer: type[Answer]) -> Json:
    """The JSON schema of this answer, or of why there is none; each fault is found by itself, as there may be many."""
    kinds, definitions = models_json_schema([(Refused, "validation"), (answer, "validation")])
    refused, accepted = kinds.values()
    return {"if": {"required": ["problem"]}, "then": refused, "else": accepted} | definitions


def read(content: Json, answer: type[AnAnswer]) -> AnAnswer | Refused:
    """Return what fits `schema(answer)`. Raises InvalidChildOutput."""
    try:
        return (Refused if "problem" in content else answer).model_validate(content)
    except ValidationError as error:
        raise InvalidChildOutput(f"the answer does not fit at {error.errors()[0]['loc']}") from error
