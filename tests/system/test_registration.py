"""An administrator registers a model of another field over the API, and it goes through case and history."""

import pytest

from tests.pictures import picture
from tests.system.leaves import CLASSES, LEAVES, leaf_network

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]


def test_a_model_of_another_field_goes_through_case_and_history(bare, leaves):
    case = bare.settled(bare.submit(picture(7), models=[leaves["id"]], title="A leaf"))
    (row,) = case["images"][0]["predictions"]
    assert row["state"] == "done", row
    assert set(row["probabilities"]) == {"rust", "healthy", "mildew"}
    browser = bare.browser()
    page = browser.get(f"{bare.url}/cases/{case['id']}/").text
    assert row["top"]["name"] in page
    assert "malignant" not in page.lower()
    assert "A leaf" in browser.get(f"{bare.url}/cases/", params={"diagnosis": row["top"]["code"]}).text


def test_a_refused_model_says_why_and_is_ready_after_a_recheck(bare):
    manifest = LEAVES | {"name": "Two names for three outputs", "classes": CLASSES[:2]}
    model = bare.register(leaf_network(), manifest)
    assert model["state"] == "refused"
    assert model["error"]["hint"]
    again = bare.api(
        "POST", f"/models/{model['id']}/recheck", "admin", json={"manifest": manifest | {"classes": CLASSES}}
    )
    assert again.status_code == 202, again.text
    assert bare.decided(model["id"])["state"] == "ready"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1000\n", "git lfs pull"),
        (b"<!DOCTYPE html><html>404</html>", "web page"),
    ],
)
def test_what_is_no_model_is_refused_in_a_sentence(bare, content, says):
    model = bare.register(content, LEAVES | {"name": f"No model: {says}"}, "model.pth")
    assert model["state"] == "refused"
    assert says in f"{model['error']['message']} {model['error']['hint']}".lower()


def test_an_ordinary_user_cannot_register(bare):
    answer = bare.api("POST", "/models", files={"file": ("a.pth", b"x")}, data={"manifest": "{}"})
    assert answer.status_code == 403
