"""What a child answers when nobody foresaw what happened, and when a sentence is too long for the portal."""

from typing import Any

import jsonschema
import pytest

from classifier.admission.child_output import REFUSED
from classifier.admission.refusal import Refusal, RefusalCode
from classifier.admission.report import Report, answered


def test_what_nobody_foresaw_is_a_refusal_that_names_it(capfd: pytest.CaptureFixture[str]) -> None:
    def work(report: Report) -> dict[str, Any]:
        report.passed("content", "a file")
        return {"number": int("abc")}

    answer = answered(work)
    jsonschema.validate(answer, REFUSED)
    assert answer["problem"]["code"] == "cannot-be-read"
    assert "ValueError: invalid literal" in answer["problem"]["message"]
    assert [row["passed"] for row in answer["report"]] == [True, False]
    assert "Traceback" in capfd.readouterr().err


def test_too_little_memory_is_no_refusal_of_the_child() -> None:
    """The supervisor knows that ending, and says what may be done."""

    def work(_report: Report) -> dict[str, Any]:
        raise MemoryError

    with pytest.raises(MemoryError):
        answered(work)


def test_a_long_sentence_is_cut_to_what_the_portal_takes() -> None:
    def work(report: Report) -> dict[str, Any]:
        report.passed("content", "x" * 5_000)
        report.assumed("x" * 5_000)
        report.warned("memory", "x" * 5_000)
        raise Refusal(RefusalCode.TOO_LARGE, "x" * 5_000, "x" * 5_000)

    jsonschema.validate(answered(work), REFUSED)
