"""Data sets, evaluations and comparisons in a whole portal: real models, real workers that die."""

import contextlib
import csv
import io
import os
import signal
import time
from collections import Counter

import pytest

from tests.factories.data_sets import labelled_zip, seven_labels
from tests.pictures import picture
from tests.system.portal import pause

pytestmark = pytest.mark.system
IMAGES = 56
KILLS = 3


def until(portal, path, seconds=240.0, states=("done", "failed", "cancelled")):
    began = time.monotonic()
    while True:
        row = portal.api("GET", path).json()
        if row["state"] in states:
            return row
        assert time.monotonic() - began < seconds, (row, portal.logs())
        time.sleep(pause(began))


@pytest.fixture(scope="module")
def data_set(portal):
    files = {"archive": ("set.zip", labelled_zip(seven_labels(IMAGES), seed=500))}
    answer = portal.api("POST", "/datasets", files=files, data={"name": "Drawn"})
    assert answer.status_code == 202
    row = until(portal, answer.headers["Location"].removeprefix("/api/v1"))
    assert (row["state"], row["images"], row["refused"]) == ("done", IMAGES, [])
    return row


def start(portal, data_set, model):
    answer = portal.api("POST", "/evaluations", json={"dataset": data_set["id"], "model": model["id"]})
    assert answer.status_code == 202, answer.text
    return answer.json()["id"]


@pytest.fixture(scope="module")
def evaluations(portal, data_set):
    """Both models, while workers are killed again and again."""
    ids = [start(portal, data_set, model) for model in portal.models()[:2]]
    for _ in range(KILLS):
        time.sleep(2)
        for pid in portal.pids(r"spawn_main|billiard")[:1]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    return [until(portal, f"/evaluations/{pk}") for pk in ids]


def test_killed_workers_lose_and_repeat_no_image(portal, evaluations):
    for row in evaluations:
        assert (row["state"], row["done"], row["total"], row["failed_images"]) == ("done", IMAGES, IMAGES, 0), row
        lines = portal.api("GET", f"/evaluations/{row['id']}/predictions.csv").text
        names = Counter(line["image"] for line in csv.DictReader(io.StringIO(lines)))
        assert (len(names), set(names.values())) == (IMAGES, {1})


def test_an_evaluation_says_what_a_case_says(portal, evaluations):
    row = evaluations[1]
    lines = list(csv.DictReader(io.StringIO(portal.api("GET", f"/evaluations/{row['id']}/predictions.csv").text)))
    content = picture(500 + 3, (64, 48), kind="PNG")
    case = portal.settled(portal.submit(content, models=[row["model"]["id"]], age="33", sex="female"))
    expected = case["images"][0]["predictions"][0]["probabilities"]
    line = next(line for line in lines if line["image"] == "img_003")
    assert all(abs(float(line[code]) - value) < 1e-4 for code, value in expected.items())


def test_the_two_demo_models_are_compared_in_seven_classes(portal, evaluations):
    answer = portal.api(
        "POST", "/comparisons", json={"evaluations": [row["id"] for row in evaluations], "taxonomy": "ham7"}
    )
    assert answer.status_code == 202, answer.text
    row = until(portal, f"/comparisons/{answer.json()['id']}")
    assert (row["state"], row["images"]) == ("done", IMAGES)
    assert row["pairs"][0]["metric"] == "balanced_accuracy"
    page = portal.browser().get(f"{portal.url}/comparisons/{row['id']}/")
    assert "Where they disagree" in page.text


def test_figures_and_capsule_can_be_downloaded(portal, evaluations):
    browser = portal.browser()
    base = f"{portal.url}/evaluations/{evaluations[0]['id']}"
    assert browser.get(f"{base}/figures/roc.pdf").content.startswith(b"%PDF")
    assert browser.get(f"{base}/capsule.zip").content.startswith(b"PK")
    assert "Operating point" in browser.get(f"{base}/").text
