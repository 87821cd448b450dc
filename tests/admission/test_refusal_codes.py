"""The refusal codes: each is used, an archive's are among them, and a field that answers one is in the form."""

import ast
from pathlib import Path

import pytest

from classifier.admission.refusal import Refusal, RefusalCode
from classifier.forms.model import MANIFEST_FIELDS
from skinsite.sandbox import zip_archives

ROOT = Path(__file__).parents[2]


def of_archives() -> set[str]:
    """The codes that `zip_archives` raises, which knows nothing of models."""
    tree = ast.parse(Path(zip_archives.__file__).read_text())
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    return {ast.literal_eval(call.args[0]) for call in calls if call.func.id == "UnsafeArchive"}


def test_an_archives_codes_are_refusal_codes() -> None:
    assert of_archives()
    assert of_archives() <= set(RefusalCode)


def test_no_code_is_left_over() -> None:
    sources = "\n".join(path.read_text() for path in (ROOT / "classifier" / "admission").rglob("*.py"))
    unused = {code for code in RefusalCode if f"RefusalCode.{code.name}" not in sources}
    assert unused <= of_archives()


@pytest.mark.parametrize("code", [code for code in RefusalCode if code.field])
def test_a_field_that_answers_a_code_is_in_the_form(code: RefusalCode) -> None:
    assert code.field in MANIFEST_FIELDS
    assert not code.again


def test_a_refusal_names_the_check_that_failed() -> None:
    assert Refusal(RefusalCode.TRUNCATED, "Short.", "").check == "content"
    assert Refusal(RefusalCode.TRUNCATED, "Short.", "", check="weights").check == "weights"
