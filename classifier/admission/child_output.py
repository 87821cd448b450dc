"""What every confined child of an admission answers: its checks, and the one reason why it refused."""

from typing import Any

from classifier.admission.known import architectures
from classifier.admission.refusal import Problem, RefusalCode
from classifier.admission.report import Check
from skinsite.sandbox.ask import TEXT, InvalidChildOutput

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
        "code": {"enum": list(RefusalCode)},
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


def or_refused(success: dict[str, Any]) -> dict[str, Any]:
    """The schema of an answer that fits `success`, or tells why the child refused."""
    return {"if": {"required": ["problem"]}, "then": REFUSED, "else": success}


def report(answer: dict[str, Any]) -> tuple[Check, ...]:
    return tuple(Check(c["check"], c["passed"], c["detail"]) for c in answer["report"])


def problem(answer: dict[str, Any]) -> Problem:
    """Return why the child refused. Raises InvalidChildOutput for a candidate that is no known architecture."""
    found = answer["problem"]
    candidates = found.get("candidates", [])
    if not all(architectures.may_be_proposed(candidate["architecture"]) for candidate in candidates):
        raise InvalidChildOutput("a candidate is none that is proposed")
    return Problem(RefusalCode(found["code"]), found["message"], found["hint"], tuple(candidates))
