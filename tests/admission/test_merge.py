"""What was declared wins; of a child's manifest only what it had to infer is believed."""

from typing import Any

import pytest

from classifier.admission.manifest import merge
from classifier.inference.input.manifest import Manifest
from skinsite.sandbox.ask import InvalidChildOutput
from tests.admission.mischief import _converted

GIVEN: dict[str, Any] = {"name": "Mine", "classes": ["mel", "nv"], "card": "# Mine", "input": {"width": 8}}
OTHER = {"code": "other_1", "name": "Other 1", "malignant": None}


def merged(given: dict[str, Any] = GIVEN, **inferred: Any) -> Manifest:
    return merge.merged(merge.read_declared(given), _converted(**inferred)["inferred"])


def test_what_was_declared_stays_and_the_rest_is_inferred() -> None:
    manifest = merged(output="sigmoid", input=_converted()["inferred"]["input"] | {"width": 16})
    assert (manifest.name, manifest.version, manifest.card, manifest.output) == ("Mine", "1", "# Mine", "sigmoid")
    assert (manifest.codes, manifest.input.width, manifest.input.height) == (("mel", "nv"), 8, 8)


def test_a_record_keeps_all_that_was_given_with_what_was_inferred() -> None:
    given = {**GIVEN, "url": "https://x", "layer": None, "input": {"width": 8, "by": "eye"}}
    used = merge.used(merge.read_declared(given), merged(given))
    plain = _converted()["inferred"]
    assert used == {
        **GIVEN,
        "version": "1",
        "url": "https://x",
        "framework": "torch",
        "output": "logits",
        "input": plain["input"] | {"by": "eye"},
    }


@pytest.mark.parametrize(
    "inferred",
    [
        {"classes": ["nv", "mel"]},
        {"classes": [OTHER]},
        {"architecture": {"family": "timm", "name": "hf-hub:somebody/model"}},
        {"output": "made up"},
        {"framework": ["torch"]},
        {"licence": "MIT"},
        {"training_data": [{"name": "nothing"}]},
        {"card": "# Theirs"},
        {"junk": "\u202e"},
        {"input": {}},
    ],
)
def test_what_no_child_may_infer_is_not_trusted(inferred: dict[str, Any]) -> None:
    with pytest.raises(InvalidChildOutput):
        merged(**inferred)


def test_another_framework_than_the_declared_one_is_not_trusted() -> None:
    assert merged(GIVEN | {"framework": "auto"}).framework == "torch"
    with pytest.raises(InvalidChildOutput):
        merged(GIVEN | {"framework": "keras"})


def test_a_declared_architecture_stays_and_may_be_completed() -> None:
    own = {"family": "keras-layers", "layers": [{"dense": 2}]}
    assert merged(GIVEN | {"architecture": own}).architecture == own
    given, completed = {"family": "timm", "name": "resnet18"}, {"head": {"layers": [], "at": "fc"}}
    assert merged(GIVEN | {"architecture": given}, architecture=given | completed).architecture == given | completed
    with pytest.raises(InvalidChildOutput):
        merged(GIVEN | {"architecture": given}, architecture={"family": "timm", "name": "resnet34"})


def test_only_classes_that_the_portal_itself_would_add_are_added() -> None:
    given = {"classes": ["mel"], "unnamed": "other"}
    assert merge.used(merge.read_declared(given), merged(given, classes=[OTHER]))["classes"] == ["mel", OTHER]
    with pytest.raises(InvalidChildOutput):
        merged(given, classes=["nv"])


def test_nothing_and_null_and_an_empty_architecture_are_the_same() -> None:
    given = {"architecture": {}, "output": None, "input": {"width": None, "height": 8}}
    assert merge.read_declared(given).to_json() == {"input": {"height": 8}}
