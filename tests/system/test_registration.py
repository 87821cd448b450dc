"""An administrator registers a model of another field over the API, and it goes through case and history."""

import json
import time

import pytest

from tests.pictures import picture
from tests.system.leaves import leaf_state_dict

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]
LEAVES = [
    {"code": "rust", "name": "Leaf rust", "malignant": None},
    {"code": "healthy", "name": "Healthy leaf", "malignant": None},
    {"code": "mildew", "name": "Powdery mildew", "malignant": None},
]
LAYERS = [
    {"type": "conv2d", "name": "conv1", "out": 8, "kernel": 3, "stride": 1, "padding": 1},
    {"type": "relu"},
    {"type": "maxpool2d", "kernel": 2},
    {"type": "flatten"},
    {"type": "linear", "name": "fc1", "out": 3},
]
MANIFEST = {
    "name": "Leaves",
    "architecture": {"family": "layers", "layers": LAYERS},
    "classes": LEAVES,
    "input": {"width": 32, "height": 32},
    "output": "logits",
}


def register(portal, content: bytes, manifest: dict, name: str = "model.pth") -> dict:
    answer = portal.api(
        "POST", "/models", "admin", files={"file": (name, content)}, data={"manifest": json.dumps(manifest)}
    )
    assert answer.status_code == 202, answer.text
    return decided(portal, answer.json()["id"])


def decided(portal, pk: str) -> dict:
    for _ in range(600):
        model = portal.api("GET", f"/models/{pk}", "admin").json()
        if model["state"] != "checking":
            return model
        time.sleep(0.2)
    raise AssertionError(model)


def test_a_model_of_another_field_goes_through_case_and_history(portal, in_torch):
    model = register(portal, in_torch(leaf_state_dict), MANIFEST)
    assert model["state"] == "ready", model
    case = portal.settled(portal.submit(picture(7), models=[model["id"]], title="A leaf"))
    (row,) = case["images"][0]["predictions"]
    assert row["state"] == "done", row
    assert set(row["probabilities"]) == {"rust", "healthy", "mildew"}
    browser = portal.browser()
    page = browser.get(f"{portal.url}/cases/{case['id']}/").text
    assert row["top"]["name"] in page
    assert "malignant" not in page.lower()
    assert "A leaf" in browser.get(f"{portal.url}/cases/", params={"diagnosis": row["top"]["code"]}).text


def test_a_refused_model_says_why_and_is_ready_after_a_recheck(portal, in_torch):
    manifest = MANIFEST | {"name": "Two names for three outputs", "classes": LEAVES[:2]}
    model = register(portal, in_torch(leaf_state_dict), manifest)
    assert model["state"] == "refused"
    assert model["error"]["hint"]
    again = portal.api(
        "POST", f"/models/{model['id']}/recheck", "admin", json={"manifest": manifest | {"classes": LEAVES}}
    )
    assert again.status_code == 202, again.text
    assert decided(portal, model["id"])["state"] == "ready"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1000\n", "git lfs pull"),
        (b"<!DOCTYPE html><html>404</html>", "web page"),
    ],
)
def test_what_is_no_model_is_refused_in_a_sentence(portal, content, says):
    model = register(portal, content, MANIFEST | {"name": f"No model: {says}"})
    assert model["state"] == "refused"
    assert says in f"{model['error']['message']} {model['error']['hint']}".lower()


def test_an_ordinary_user_cannot_register(portal):
    answer = portal.api("POST", "/models", files={"file": ("a.pth", b"x")}, data={"manifest": "{}"})
    assert answer.status_code == 403
