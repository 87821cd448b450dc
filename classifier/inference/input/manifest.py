"""The manifest: everything about a model that its file does not say, as typed and checked data.

A `Manifest` is complete: a bundle holds one. A `PartialManifest` is what a person, or a file, says. The form's help,
the API's schema and docs/manifest.md show the descriptions of its fields.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    Strict,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
    model_validator,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from classifier.inference.input.clinical import encoding_names
from skinsite.diagnoses import DIAGNOSES, MALIGNANCY, NAMES_BEYOND

Json = dict[str, Any]
SENTENCE = "sentence"
CODE = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
SMALLEST_SIDE, LARGEST_SIDE = 8, 2048
MOST_CLASSES = 1000


def _wrong(sentence: str) -> PydanticCustomError:
    """An error whose message follows the name of its field."""
    return PydanticCustomError(SENTENCE, sentence)


def must(requirement: str = "") -> WrapValidator:
    """Say in one sentence what a value must be, unless a sentence about a part of it says more.

    Without a requirement it is one of the words of its type.
    """

    def check(value: Any, read: ValidatorFunctionWrapHandler) -> Any:
        try:
            return read(value)
        except ValidationError as error:
            details = error.errors(include_url=False)
            if any(_says_more(detail) for detail in details):
                raise
            words = requirement or f"be {details[0].get('ctx', {}).get('expected')}; it is {value!r:.60}"
            raise _wrong(f"must {words}") from error

    return WrapValidator(check)


def _says_more(detail: ErrorDetails) -> bool:
    """Whether a part of a value is told to be wrong, or a field of it to be missing."""
    return detail["type"] == SENTENCE or (detail["type"] == "missing" and isinstance(detail["loc"][-1], str))


def problems(error: ValidationError) -> list[tuple[str, str]]:
    """Return all that is wrong with a manifest, as (field, words that follow its name) pairs."""
    found, details = [], error.errors(include_url=False)
    for detail in [each for each in details if _says_more(each)] or details:
        path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in detail["loc"])
        found.append((path.removeprefix("."), "is missing" if detail["type"] == "missing" else detail["msg"]))
    return found


def _rises(values: tuple[float, float]) -> tuple[float, float]:
    if values[0] >= values[1]:
        raise _wrong("must rise: [value of black, value of white]")
    return values


def _divides(values: tuple[float, float, float]) -> tuple[float, float, float]:
    if min(values) <= 0:
        raise ValueError("a channel cannot be divided by that")
    return values


def _is_encoding(name: str) -> str:
    known = ("none", *encoding_names())
    if name not in known:
        raise _wrong(f"must be one of {', '.join(known)}; it is {name!r:.60}")
    return name


def _has_a_family(architecture: Json) -> Json:
    _Family.model_validate(architecture)
    return architecture


Name = Annotated[str, Field(min_length=1, max_length=100), must("be a text of at most 100 characters")]
Version = Annotated[str, Field(min_length=1, max_length=40), must("be a text of at most 40 characters")]
Licence = Annotated[str, Field(max_length=300), must("be a text of at most 300 characters")]
Card = Annotated[str, Field(max_length=100_000), must("be a text of at most 100000 characters")]
Layer = Annotated[str, Field(max_length=200), must("be a text of at most 200 characters")]
Side = Annotated[
    int,
    Field(ge=SMALLEST_SIDE, le=LARGEST_SIDE),
    must(f"be a whole number from {SMALLEST_SIDE} to {LARGEST_SIDE}"),
]
Framework = Annotated[Literal["keras", "torch"], must()]
Resize = Annotated[Literal["stretch", "letterbox", "crop"], must()]
Interpolation = Annotated[Literal["nearest", "bilinear", "bicubic", "lanczos", "area"], must()]
Antialias = Annotated[bool, must("be true or false")]
Color = Annotated[Literal["rgb", "bgr"], must()]
Range = Annotated[tuple[float, float], Strict(False), AfterValidator(_rises), must("be 2 finite numbers")]
Mean = Annotated[tuple[float, float, float], Strict(False), must("be 3 finite numbers")]
Std = Annotated[
    tuple[float, float, float], Strict(False), AfterValidator(_divides), must("be 3 finite numbers above 0")
]
ClinicalEncoding = Annotated[
    str,
    AfterValidator(_is_encoding),
    must("be the name of an encoding"),
    WithJsonSchema({"type": "string", "enum": ["none", *encoding_names()]}),
]
OutputActivation = Annotated[Literal["softmax", "sigmoid", "logits", "log_softmax"], must()]
Architecture = Annotated[Json, AfterValidator(_has_a_family), must("be an object with a family")]


class _Complete(BaseModel):
    """Checked data that never changes; fields of others are passed over."""

    model_config = ConfigDict(frozen=True, strict=True, allow_inf_nan=False)


class _Partial(BaseModel):
    """What was said, with what only its sender understands; `NOTHING` says nothing."""

    model_config = ConfigDict(frozen=True, strict=True, allow_inf_nan=False, extra="allow")
    NOTHING: ClassVar[tuple[Any, ...]] = (None,)

    @model_validator(mode="before")
    @classmethod
    def _filled(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        return {name: value for name, value in given.items() if value not in cls.NOTHING}

    def to_json(self) -> Json:
        """Return what was said, and nothing else."""
        return self.model_dump(mode="json", exclude_unset=True)


class _Family(_Complete):
    family: Annotated[str, Field(min_length=1, max_length=40), must("be a word")] | None = None


class ClassSpec(_Complete):
    """A class of the outputs. A code that the portal knows is enough: it brings its name and its malignancy."""

    code: str
    name: str
    malignant: bool | None

    @model_validator(mode="before")
    @classmethod
    def _known(cls, given: Any) -> Json:
        entry = {"code": given} if isinstance(given, str) else given
        if not isinstance(entry, Mapping) or not isinstance(entry.get("code"), str):
            raise _wrong('must be a code, or {"code", "name", "malignant"}')
        code = entry["code"].lower()
        if not CODE.fullmatch(code):
            raise _wrong(f"must have a code of 1 to 40 letters, digits, - and _, not {code[:60]!r}")
        known = DIAGNOSES.get(code)
        title = entry.get("name", known.name if known else NAMES_BEYOND.get(code) if code in MALIGNANCY else None)
        malignant = entry.get("malignant", known.malignant if known else MALIGNANCY.get(code))
        if not isinstance(title, str) or not 1 <= len(title) <= 200:
            form = f'{{"code": "{code}", "name": "…", "malignant": true, false or null}}'
            raise _wrong(f"has the code {code!r}, which the portal has no name for: write {form}")
        if malignant not in (True, False, None):
            raise _wrong("must have a malignant of true, false or null")
        return {"code": code, "name": title, "malignant": malignant}


def _each_once(classes: tuple[ClassSpec, ...]) -> tuple[ClassSpec, ...]:
    if len({entry.code for entry in classes}) < len(classes):
        raise _wrong("must name every code once")
    return classes


def _as_given(entry: Any) -> Any:
    ClassSpec.model_validate(entry)
    return entry


Classes = Annotated[
    tuple[ClassSpec, ...],
    Strict(False),
    Field(min_length=2, max_length=MOST_CLASSES),
    AfterValidator(_each_once),
    must(f"be a list of 2 to {MOST_CLASSES} classes in the order of the outputs"),
]
DeclaredClass = Annotated[
    str | Json, PlainValidator(_as_given), WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "object"}]})
]


class InputSpec(_Complete):
    """From a picture's pixels to the network's input: sizes in px; `range` is where 0 and 255 go."""

    width: Side
    height: Side
    resize: Resize
    interpolation: Interpolation
    antialias: Antialias
    color: Color
    range: Range
    mean: Mean
    std: Std
    clinical: ClinicalEncoding

    def but(self, **changes: Any) -> Self:
        """Return the same input with other values in some fields, which are not checked again."""
        return self.model_copy(update=changes)


class Manifest(_Complete):
    """A complete manifest. `output` is what the file itself ends with, `layer` where maps are made ("": the last)."""

    name: Name
    version: Version
    framework: Framework
    classes: Classes
    input: Annotated[InputSpec, must("be an object")]
    output: OutputActivation
    architecture: Annotated[Json, must("be an object with a family")] | None = None
    training_data: Annotated[tuple[Json, ...], Strict(False), must('be a list of {"name", "images"}')] = ()
    licence: Licence = ""
    card: Card = ""
    layer: Layer = ""

    @property
    def codes(self) -> tuple[str, ...]:
        return tuple(entry.code for entry in self.classes)


class TrainingSet(_Partial):
    """A data set that a model was trained on."""

    NOTHING = ()

    name: Annotated[str, Field(min_length=1, max_length=200), must("be a text of 1 to 200 characters")]
    images: Annotated[str | list[str] | None, must("be a list of texts, a text, or null")] = Field(
        None,
        description="Ids of images or lesions, or SHA-256 of decoded pixels: a list, a text of lines, a file's name.",
    )


class PartialInput(_Partial):
    """What is said of the way from a picture to the network's input."""

    width: Side | None = Field(None, description="Width of the network's input in pixels.")
    height: Side | None = Field(None, description="Height of the network's input in pixels.")
    resize: Resize | None = Field(None, description="How a picture gets the shape of the input.")
    interpolation: Interpolation | None = Field(None, description="How the values between its pixels are found.")
    antialias: Antialias | None = Field(
        None, description="`true` as Pillow and torchvision do it, `false` as `tf.image.resize` and OpenCV do it."
    )
    color: Color | None = Field(None, description="The order of the channels.")
    range: Range | None = Field(None, description="The values of black and of white: `0, 1`.")
    mean: Mean | None = Field(None, description="What is subtracted from each channel.")
    std: Std | None = Field(None, description="What each channel is then divided by.")
    clinical: ClinicalEncoding | None = Field(
        None, description="A named encoding of age, sex and site, beside the image; or `none`."
    )


class PartialManifest(_Partial):
    """What a person or a file says of a model. Whatever is left out is inferred from the file."""

    NOTHING = (None, {}, [])

    name: Name | None = Field(None, description="What the model is called; left out, as its file.")
    version: Version | None = Field(None, description="A name has each version once; left out, `1`.")
    framework: Annotated[Literal["auto", "keras", "torch"], must()] | None = Field(
        None, description="What the file was saved by; `auto` finds it out."
    )
    architecture: Architecture | None = Field(
        None,
        description="Only for weights that do not tell their network: a family with a name or a list of layers, "
        'such as `{"family": "timm", "name": "efficientnet_b2"}`.',
    )
    classes: (
        Annotated[
            tuple[DeclaredClass, ...],
            Strict(False),
            Field(max_length=MOST_CLASSES),
            must(f"be a list of at most {MOST_CLASSES} classes in the order of the outputs"),
        ]
        | None
    ) = Field(
        None,
        description="Codes in the order of the outputs, such as `akiec, bcc, bkl, df, mel, nv, vasc`; one sigmoid "
        "names two, no and yes. A code of another field comes with its name: "
        '`{"code": "rust", "name": "Leaf rust", "malignant": null}`. Nothing in a file tells this order.',
    )
    unnamed: Annotated[Literal["other"], must()] | None = Field(
        None, description="`other` allows more outputs than names: they are called `other_1`, `other_2` …"
    )
    output: OutputActivation | None = Field(None, description="What the file's own last step makes of its numbers.")
    input: Annotated[PartialInput, must("be an object")] | None = Field(
        None, description="How a picture becomes the network's input."
    )
    layer: Layer | None = Field(
        None,
        description="Where heat maps are made; left out, the last layer that keeps the picture's geometry (in a "
        "transformer the input of its last block). A name that does not exist is refused with those that do.",
    )
    training_data: (
        Annotated[
            tuple[TrainingSet, ...], Strict(False), Field(max_length=100), must('be a list of {"name", "images"}')
        ]
        | None
    ) = Field(None, description="The data sets that it was trained on, for the seen-image check.")
    licence: Licence | None = Field(None, description="Under which licence the weights are.")
    card: Card | None = Field(None, description="What else there is to know, in Markdown without HTML.")
