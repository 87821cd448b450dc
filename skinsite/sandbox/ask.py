"""The only way to hear a confined child: its answer is read as if an attacker had written it."""

import json
import math
import os
import stat
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema

from skinsite.sandbox import run
from skinsite.sandbox.child import ANSWER
from skinsite.sandbox.run import ChildResult, ExitReason, Limits

ANSWER_BYTES = 4 * 1024**2
TEXT_LENGTH = 2000
TEXT = {"type": "string", "maxLength": TEXT_LENGTH}
_STANDARD = jsonschema.Draft202012Validator
_Validator = jsonschema.validators.extend(
    _STANDARD,
    # The standard takes 2.0 for an integer; Python neither counts nor reads a file with it.
    type_checker=_STANDARD.TYPE_CHECKER.redefine("integer", lambda _checker, value: type(value) is int),
)


class InvalidChildOutput(Exception):
    """The child wrote something that an honest child never writes."""


class ChildStopped(Exception):
    """The child did not answer; `result` says why."""

    def __init__(self, result: ChildResult) -> None:
        super().__init__(f"the child ended by {result.reason}, status {result.status}")
        self.result = result


@dataclass(frozen=True)
class Answer:
    """`content` fits the schema that was asked for; `child` says what it cost."""

    content: dict[str, Any]
    child: ChildResult


def ask(
    task: str,
    *,
    request: Mapping[str, object],
    schema: Mapping[str, object],
    folder: Path,
    limits: Limits,
    readable: Sequence[Path] = (),
    descriptors: Sequence[int] = (),
    unconfined: bool = False,
    verbatim: Sequence[str] = (),
    answer_bytes: int = ANSWER_BYTES,
) -> Answer:
    """Run `module:function` in a confined child (see `run.run`) and return its answer, which fits the JSON `schema`.

    Every text of it is plain (see `plain`), but below the names `verbatim`, which the caller checks by itself. Raises
    ChildStopped where the child did not answer, InvalidChildOutput where the answer is larger than `answer_bytes`, no
    plain file, no finite JSON, or of another shape.
    """
    result = run.run(
        task,
        request=request,
        folder=folder,
        limits=limits,
        readable=readable,
        descriptors=descriptors,
        unconfined=unconfined,
    )
    if result.reason is not ExitReason.ANSWERED:
        raise ChildStopped(result)
    return Answer(read_answer(folder / ANSWER, schema, answer_bytes, verbatim), result)


def read_answer(path: Path, schema: Mapping[str, object], limit: int, verbatim: Sequence[str] = ()) -> dict[str, Any]:
    """Return what a child wrote to a file, checked and cleaned. Raises InvalidChildOutput."""
    content = parse(read_file(path, limit), schema)
    try:
        return {name: value if name in verbatim else _cleaned(value) for name, value in content.items()}
    except RecursionError as error:
        raise InvalidChildOutput("the answer is nested too deeply") from error


def parse(text: bytes, schema: Mapping[str, object]) -> dict[str, Any]:
    """Return the JSON object that fits the schema, without a number that is none. Raises InvalidChildOutput."""
    try:
        content = json.loads(text, parse_constant=_no_number, parse_float=_finite)
        problem = next(_Validator(schema).iter_errors(content), None)  # the first one: there may be millions
    except (ValueError, RecursionError) as error:
        raise InvalidChildOutput(f"the answer is no JSON: {str(error)[:200]}") from error
    if problem is not None:
        raise InvalidChildOutput(f"the answer does not fit its schema at {problem.json_path[:100]}")
    return dict(content)


def read_file(path: Path, limit: int) -> bytes:
    """Return the bytes of a regular file that has one name and is no link. Raises InvalidChildOutput."""
    with os.fdopen(open_regular(path, limit), "rb") as file:
        return file.read(limit)


def open_regular(path: Path, limit: int) -> int:
    """Open what must be a regular file of at most `limit` bytes; the caller closes it. Raises InvalidChildOutput."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise InvalidChildOutput(f"{path.name} cannot be opened: {error.strerror}") from error
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1 or status.st_size > limit:
        os.close(descriptor)
        raise InvalidChildOutput(f"{path.name} is no plain file of at most {limit:,} bytes")
    return descriptor


def plain(text: str) -> str:
    """The text without control, formatting and direction characters, and not too long for a page."""
    kept = (letter if letter.isprintable() or letter == " " else "�" for letter in text[:TEXT_LENGTH])
    return unicodedata.normalize("NFC", "".join(kept))[:TEXT_LENGTH]


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, list):
        return [_cleaned(one) for one in value]
    return {plain(name): _cleaned(one) for name, one in value.items()} if isinstance(value, dict) else value


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _no_number(text)


def _no_number(name: str) -> Any:
    raise ValueError(f"{name[:20]} is no number")
