"""A data folder that an earlier commit wrote goes on working: its pages, its numbers, its bundles (see `make.py`)."""

import csv
import io
import json
import math
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

from tests.upgrade.make import NOW, PEOPLE

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
pytestmark = pytest.mark.timeout(900)
PAGES = (
    "/",
    "/about/",
    "/cases/",
    "/cases/new/",
    "/models/",
    "/datasets/",
    "/evaluations/",
    "/comparisons/",
    "/api/v1/docs",
)
ANSWERED = {200, 202, 286, 302, 403, 404, 405, 409, 422}
"""286 ends the polling of a page; what an address refuses for a reason of its own is an answer too."""

MEANT = ("engine_in_words", "in_fast_lane", "fast", "notice", "openvino")
"""What is other now: the engine in reduced precision went, and one disclaimer stands everywhere."""

ANSWER_AGAIN = """
import json, sys, django
django.setup()
from classifier.models import Prediction
from classifier.services.cases.create import Upload, create_case
from classifier.services.predictions.predict import run_prediction

found = []
for old in Prediction.objects.filter(state="done", model__framework=sys.argv[1], model__state="ready"):
    with old.image.pixels.open() as file:
        case = create_case(owner=old.image.case.owner, uploads=[Upload("again.png", file)], models=[old.model])
    new = Prediction.objects.get(image__case=case)
    run_prediction(prediction_id=new.pk)
    new.refresh_from_db()
    found.append([new.state, old.probabilities, new.probabilities])
print(json.dumps(found))
"""


class Folder:
    """An unpacked folder, what was answered from it then, and what is answered now."""

    def __init__(self, commit: str, place: Path) -> None:
        with tarfile.open(HERE / f"{commit}.tar.xz") as packed:
            packed.extractall(place, filter="data")
        self.commit, self.place = commit, place
        self.then: dict[str, dict[str, str]] = json.loads((place / "answers.json").read_text())
        self.run(str(HERE / "walk.py"), str(place / "out"), "--now", NOW, "--people", *PEOPLE)
        rows = map(json.loads, (place / "out" / "answers.jsonl").read_text().splitlines())
        self.now = {(row["who"], row["address"]): row for row in rows}

    def run(self, *words: str) -> str:
        environment = os.environ | {
            "SKINSITE_DATA": str(self.place / "data"),
            "DJANGO_SETTINGS_MODULE": "skinsite.settings",
        }
        command = [sys.executable, "-W", "ignore", *words]
        return subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout

    def body(self, who: str, address: str) -> str:
        return (self.place / "out" / "bodies" / self.now[who, address]["body"]).read_text()


@pytest.fixture(scope="module", params=["59e5670", "e6c3e4e"])
def folder(request, tmp_path_factory) -> Folder:
    return Folder(request.param, tmp_path_factory.mktemp(request.param))


def test_every_page_and_answer_is_still_there(folder):
    """59e5670 drew Grad-CAM whatever method an address named; what nobody has asked for is a 404 now."""
    asked = [
        (who, address)
        for who in PEOPLE
        for address in (*folder.then[who], *PAGES)
        if folder.commit != "59e5670" or "method=" not in address
    ]
    missing = {key: status for key in asked if (status := folder.now.get(key, {}).get("status")) != 200}
    assert missing == {}
    failed = {key: row["status"] for key, row in folder.now.items() if row["status"] not in ANSWERED}
    assert failed == {}


def test_every_number_that_was_in_it_is_still_the_same(folder):
    compared = 0
    for who in PEOPLE:
        for address, text in folder.then[who].items():
            if text:
                old, new = (_read(content) for content in (text, folder.body(who, address)))
                assert list(_lost(old, new)) == [], (who, address)
                compared += 1
    assert compared > {"59e5670": 25, "e6c3e4e": 40}[folder.commit]


@pytest.mark.parametrize("framework", ["torch", "keras"])
def test_an_old_bundle_answers_as_it_did(folder, framework):
    found = json.loads(folder.run("-c", ANSWER_AGAIN, framework).splitlines()[-1])
    assert found
    for state, old, new in found:
        assert state == "done"
        assert new == pytest.approx(old, abs=1e-5)


def _read(text: str) -> Any:
    return json.loads(text) if text.lstrip().startswith(("{", "[")) else list(csv.DictReader(io.StringIO(text)))


def _lost(old: Any, new: Any, place: str = "") -> Any:
    """Yield where something of the old answer is missing or other in the new one, which may say more."""
    if old == [] and isinstance(new, list):
        return
    if isinstance(old, dict) and old.get("state") == "refused":  # it keeps no manifest since classifier/0003
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for name, value in old.items():
            if name not in MEANT:
                yield from _lost(value, new.get(name), f"{place}.{name}")
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for number, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from _lost(one, other, f"{place}[{number}]")
    elif isinstance(old, float) and isinstance(new, float):
        if not math.isclose(old, new, rel_tol=1e-6, abs_tol=1e-9):
            yield place, old, new
    elif old != new:
        yield place, old, new
