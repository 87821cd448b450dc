"""What a confined child left behind, read as if an attacker had written it."""

import json
import math
import os
import stat
import unicodedata
from pathlib import Path
from typing import Any

import jsonschema

from classifier.admission import architectures
from classifier.admission.outcome import TEXT_LENGTH, Check, Problem

ANSWER = "answer.json"
ANSWER_BYTES = 4 * 1024**2

TEXT = {"type": "string", "maxLength": TEXT_LENGTH}
CHECK = {
    "type": "object",
    "additionalProperties": False,
    "required": ["check", "passed", "detail"],
    "properties": {"check": {"type": "string", "maxLength": 40}, "passed": {"type": "boolean"}, "detail": TEXT},
}
CANDIDATE = {
    "type": "object",
    "additionalProperties": False,
    "required": ["architecture", "differs"],
    "properties": {"architecture": {"type": "object"}, "differs": TEXT},
}
PROBLEM = {
    "type": "object",
    "additionalProperties": False,
    "required": ["code", "message", "hint"],
    "properties": {
        "code": {"type": "string", "pattern": "^[a-z0-9-]{1,40}$"},
        "message": TEXT,
        "hint": TEXT,
        "candidates": {"type": "array", "minItems": 1, "maxItems": 20, "items": CANDIDATE},
    },
}
REPORT = {"type": "array", "maxItems": 200, "items": CHECK}
REFUSED = {
    "type": "object",
    "additionalProperties": False,
    "required": ["report", "problem"],
    "properties": {"report": REPORT, "problem": PROBLEM},
}


class Untrustworthy(Exception):
    """The child wrote something that an honest child never writes."""


def read(folder: Path, success: dict[str, Any]) -> dict[str, Any]:
    """Return the child's answer: it fits `success` or REFUSED. Raises Untrustworthy."""
    try:
        answer = json.loads(read_file(folder / ANSWER, ANSWER_BYTES), parse_constant=_no_number, parse_float=_finite)
        is_refusal = isinstance(answer, dict) and "problem" in answer
        jsonschema.validate(answer, REFUSED if is_refusal else success)
    except jsonschema.ValidationError as error:
        raise Untrustworthy(f"the answer does not fit its schema at {error.json_path[:100]}") from None
    except (ValueError, RecursionError) as error:
        raise Untrustworthy(f"the answer is no JSON: {str(error)[:200]}") from error
    return dict(answer)


def read_file(path: Path, limit: int) -> bytes:
    """Return the bytes of a regular file that has one name and is no link. Raises Untrustworthy."""
    descriptor = open_regular(path, limit)
    with os.fdopen(descriptor, "rb") as file:
        return file.read(limit)


def open_regular(path: Path, limit: int) -> int:
    """Open what must be a regular file of at most `limit` bytes; the caller closes it. Raises Untrustworthy."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise Untrustworthy(f"{path.name} cannot be opened: {error.strerror}") from error
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1 or status.st_size > limit:
        os.close(descriptor)
        raise Untrustworthy(f"{path.name} is no plain file of at most {limit:,} bytes")
    return descriptor


def report(answer: dict[str, Any]) -> tuple[Check, ...]:
    return tuple(Check(plain(c["check"]), c["passed"], plain(c["detail"])) for c in answer["report"])


def problem(answer: dict[str, Any]) -> Problem:
    """Return why the child refused. Raises Untrustworthy for a candidate that is none of the known architectures."""
    found = answer["problem"]
    candidates = found.get("candidates", [])
    if not all(architectures.may_be_proposed(candidate["architecture"]) for candidate in candidates):
        raise Untrustworthy("a candidate is none that is proposed")
    shown = tuple({"architecture": one["architecture"], "differs": plain(one["differs"])} for one in candidates)
    return Problem(found["code"], plain(found["message"]), plain(found["hint"]), shown)


def plain(text: str) -> str:
    """The text without control, formatting and direction characters, and not too long for a page."""
    kept = (letter if letter.isprintable() or letter == " " else "�" for letter in text[:TEXT_LENGTH])
    return unicodedata.normalize("NFC", "".join(kept))


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _no_number(text)


def _no_number(name: str) -> Any:
    raise ValueError(f"{name[:20]} is no number")
