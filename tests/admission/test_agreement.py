"""Of a child's manifest only what it had to add is kept."""

from typing import Any

import pytest

from classifier.admission.manifest import merge
from skinsite.sandbox.ask import InvalidChildOutput
from tests.admission.mischief import _converted

GIVEN: dict[str, Any] = {"name": "Mine", "classes": ["mel", "nv"], "card": "# Mine", "input": {"width": 8}}


def complete(**changes: Any) -> dict[str, Any]:
    return {**_converted(GIVEN)["manifest"], "input": _converted({})["manifest"]["input"], **changes}


def test_fields_that_nobody_asked_for_are_not_kept() -> None:
    added = {"licence": "MIT", "training_data": [{"name": "nothing"}], "junk": "\u202e", "name": "Theirs"}
    used, checked = merge.agreed(GIVEN, complete(**added, card="# Theirs"))
    assert used == {
        **complete(),
        "name": "Mine",
        "card": "# Mine",
    }
    assert (checked.name, checked.card, checked.licence, checked.training_data) == ("Mine", "# Mine", "", ())


@pytest.mark.parametrize(
    "changes",
    [
        {"classes": ["nv", "mel"]},
        {"classes": ["mel", "nv", {"code": "other_1", "name": "Other 1", "malignant": None}]},
        {"input": {"width": 16}},
        {"architecture": {"family": "timm", "name": "hf-hub:somebody/model"}},
        {"output": "made up"},
        {"framework": ["torch"]},
    ],
)
def test_what_contradicts_or_invents_is_not_trusted(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidChildOutput):
        merge.agreed(GIVEN, complete(**changes))


def test_only_classes_that_the_portal_itself_would_add_are_added() -> None:
    given = {"classes": ["mel"], "unnamed": "other"}
    good = ["mel", {"code": "other_1", "name": "Other 1", "malignant": None}]
    assert merge.agreed(given, complete(classes=good))[0]["classes"] == good
    with pytest.raises(InvalidChildOutput):
        merge.agreed(given, complete(classes=["mel", "nv"]))


def test_nothing_and_null_and_an_empty_architecture_are_the_same() -> None:
    assert merge.told({"architecture": {}, "output": None, "input": {"width": None, "height": 8}}) == {
        "input": {"height": 8}
    }
