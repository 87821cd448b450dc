"""Why a model is refused: every code that there is, the check that fails with it, and what a person can do."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from skinsite.sandbox.ask import TEXT_LENGTH


class RefusalCode(StrEnum):
    """A stable kebab-case word for programs: the API's `error.code`.

    `check` names the line of the report that fails with it, unless a refusal names another. `field` is the field of
    the form that answers it; `again` says that the same file may pass at the next check as it is. With neither only
    another file helps.
    """

    check: str
    field: str
    again: bool

    def __new__(cls, code: str, check: str = "", field: str = "", again: bool = False) -> Self:
        member = str.__new__(cls, code)
        member._value_ = code
        member.check, member.field, member.again = check, field, again
        return member

    CONFINEMENT_UNAVAILABLE = "confinement-unavailable", "confinement", "", True
    TIME_LIMIT = "time-limit", "limits", "", True
    MEMORY_LIMIT = "memory-limit", "limits", "", True
    DISK_LIMIT = "disk-limit", "limits", "", True
    CHECK_CRASHED = "check-crashed", "crash", "", True
    UNTRUSTED_ANSWER = "untrusted-answer", "answer"
    CANNOT_BE_READ = "cannot-be-read", "read"

    BAD_MANIFEST = "bad-manifest", "manifest", "manifest"
    FRAMEWORK_MISMATCH = "framework-mismatch", "framework", "manifest"
    NEEDS_CLASSES = "needs-classes", "classes", "classes"
    CLASS_COUNT = "class-count", "classes", "classes"
    NEEDS_OUTPUT = "needs-output", "output", "output"
    OUTPUT_MISMATCH = "output-mismatch", "output", "output"
    CONSTANT_OUTPUT = "constant-output", "output", "output"
    INPUT_SIZE = "input-size", "input", "width"
    NEEDS_CLINICAL = "needs-clinical", "clinical", "clinical"
    CLINICAL_MISMATCH = "clinical-mismatch", "clinical", "clinical"

    NO_FILE = "no-file", "content"
    EMPTY_FILE = "empty-file", "content"
    TRUNCATED = "truncated", "content"
    NOT_A_MODEL = "not-a-model", "content"
    UNKNOWN_FORMAT = "unknown-format", "content"
    WEB_PAGE = "web-page", "content"
    GIT_LFS_POINTER = "git-lfs-pointer", "content"
    SCRIPT = "script", "content"
    TEXT = "text", "content"
    JSON = "json", "content"
    SKLEARN_PICKLE = "sklearn-pickle", "content"
    ONNX = "onnx", "content"
    TFLITE = "tflite", "content"
    SAVED_MODEL = "saved-model", "content"
    FROZEN_GRAPH = "frozen-graph", "content"

    UNKNOWN_ARCHIVE = "unknown-archive", "archive"
    UNEXPECTED_MEMBER = "unexpected-member", "archive"
    INCOMPLETE_ARCHIVE = "incomplete-archive", "archive"
    TOO_MANY_MEMBERS = "too-many-members", "archive"
    TOO_LARGE = "too-large", "archive"
    ZIP_BOMB = "zip-bomb", "archive"
    DAMAGED = "damaged", "archive"
    UNSAFE_NAME = "unsafe-name", "archive"
    DOUBLE_NAME = "double-name", "archive"
    LINK = "link", "archive"
    ENCRYPTED = "encrypted", "archive"
    COMPRESSION = "compression", "archive"

    EXTERNAL_LINK = "external-link", "hdf5"
    EXTERNAL_DATA = "external-data", "hdf5"
    SOFT_LINK = "soft-link", "hdf5"
    NO_MODEL = "no-model", "hdf5"

    TOO_DEEP = "too-deep", "configuration"
    TOO_MANY_LAYERS = "too-many-layers", "configuration"
    FOREIGN_CLASS = "foreign-class", "configuration"
    FOREIGN_FUNCTION = "foreign-function", "configuration"
    CUSTOM_LAYER = "custom-layer", "configuration"
    LAMBDA_LAYER = "lambda-layer", "configuration"
    TF_OP_LAYER = "tf-op-layer", "configuration"
    OLD_HARD_SIGMOID = "old-hard-sigmoid", "configuration"
    WEIGHTS_ONLY = "weights-only", "configuration", "architecture"

    UNSAFE_PICKLE = "unsafe-pickle", "weights"
    UNSAFE_TENSOR = "unsafe-tensor", "weights"
    PICKLED_MODEL = "pickled-model", "weights"
    TORCHSCRIPT = "torchscript", "weights"
    NOT_NUMBERS = "not-numbers", "weights"
    BIG_ENDIAN = "big-endian", "weights"
    NO_STATE_DICT = "no-state-dict", "weights"
    SEVERAL_STATE_DICTS = "several-state-dicts", "weights"
    WEIGHTS_DIFFER = "weights-differ", "weights"
    OLD_WEIGHTS_LAYOUT = "old-weights-layout", "weights"

    CANNOT_REBUILD = "cannot-rebuild", "rebuild"
    NEEDS_ARCHITECTURE = "needs-architecture", "architecture", "architecture"
    UNKNOWN_ARCHITECTURE = "unknown-architecture", "architecture", "architecture"
    BAD_ARCHITECTURE = "bad-architecture", "architecture", "architecture"
    NEEDS_CHOICE = "needs-choice", "architecture", "architecture"
    WEIGHTS_DO_NOT_FIT = "weights-do-not-fit", "architecture", "architecture"
    ENDS_WITH_SIGMOID = "ends-with-sigmoid", "architecture", "output"
    NO_IMAGE_INPUT = "no-image-input", "input"
    GRAY_INPUT = "gray-input", "input"
    UNKNOWN_INPUTS = "unknown-inputs", "input"
    UNKNOWN_OUTPUTS = "unknown-outputs", "input"

    NOT_FINITE = "not-finite", "finite"
    BUNDLE_DOES_NOT_LOAD = "bundle-does-not-load", "load"
    SUMS = "sums", "sum", "output"
    SAME_ANSWER = "same-answer", "sensitivity"
    NOT_DETERMINISTIC = "not-deterministic", "repeat"
    CONVERSION_DIFFERS = "conversion-differs", "same"
    NO_SUCH_LAYER = "no-such-layer", "layer", "manifest"


@dataclass(frozen=True)
class Problem:
    """Why a model was refused: a sentence that names the thing, and what to do.

    With NEEDS_CHOICE go the `candidates`, each {architecture, differs}: one may be given for the next check.
    """

    code: RefusalCode
    message: str
    hint: str
    candidates: tuple[dict[str, Any], ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return what the API shows; candidates only where there are some."""
        shown: dict[str, Any] = {"code": self.code, "message": self.message, "hint": self.hint}
        return shown | ({"candidates": list(self.candidates)} if self.candidates else {})


class Refusal(Exception):
    """The upload cannot become a bundle; `check` is the check that failed."""

    def __init__(
        self,
        code: RefusalCode,
        message: str,
        hint: str,
        candidates: tuple[dict[str, Any], ...] = (),
        *,
        check: str = "",
    ) -> None:
        super().__init__(message)
        self.check = check or code.check
        self.problem = Problem(code, cut(message), cut(hint), candidates)


def cut(text: str) -> str:
    """The text as far as a page takes it."""
    return text if len(text) <= TEXT_LENGTH else f"{text[: TEXT_LENGTH - 2]} …"
