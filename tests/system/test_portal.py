"""The whole portal: its own processes, two real demo models, real answers."""

import re
import signal
import socket
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from tests.pictures import picture
from tests.system.portal import Portal, csrf_token

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]
FRAMEWORKS = re.compile(r"tensorflow|libtorch|onnxruntime|matplotlib")


def rows(case: dict) -> list[dict]:
    return [row for image in case["images"] for row in image["predictions"]]


def test_the_two_demo_models_are_ready_and_default(portal):
    models = portal.models_at_first_start
    assert {(model["framework"], model["state"], model["default"]) for model in models} == {
        ("keras", "ready", True),
        ("torch", "ready", True),
    }
    assert all(check["passed"] for model in models for check in model["report"])
    assert {(model["name"], model["architecture"], model["parameters"]) for model in models} == {
        ("Xception", "Keras Functional, 149 layers, with the model “xception” inside", 21_432_382),
        ("EfficientNet-B2", "PyTorch smp-encoder: efficientnet-b2", 7_703_818),
    }
    (uses_age,) = (model for model in models if any(check["check"] == "clinical" for check in model["report"]))
    assert uses_age["name"] == "Xception"


def test_the_accounts_file_is_private(portal):
    path = portal.data / "demo-accounts.txt"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [len(line.split()) for line in path.read_text().splitlines()] == [3, 3]


def test_the_sample_case_is_answered(portal):
    (found,) = portal.api("GET", "/cases?q=Sample+case").json()["items"]
    case = portal.settled(found)
    assert {row["state"] for row in rows(case)} == {"done"}


def test_a_case_is_answered_with_maps(portal):
    case = portal.settled(portal.submit(picture(1, (600, 450))))
    assert all(row["state"] == "done" and row["explanation"]["url"] for row in rows(case))


def test_thirty_people_at_once_are_all_answered(portal):
    with ThreadPoolExecutor(30) as people:
        cases = list(people.map(lambda seed: portal.settled(portal.submit(picture(seed)), 300), range(30)))
    assert [row["state"] for case in cases for row in rows(case)] == ["done"] * 60


def test_who_came_first_is_answered_first(portal):
    cases = [portal.submit(picture(place)) for place in range(12)]
    answered = [row for case in cases for row in rows(portal.settled(case))]
    for model in {row["model"]["id"] for row in answered}:
        finished = [row["finished"] for row in answered if row["model"]["id"] == model]
        assert finished == sorted(finished)


def test_probabilities_are_a_distribution_over_the_models_classes(portal):
    models = {model["id"]: model for model in portal.models()}
    for row in rows(portal.settled(portal.submit(picture(2)))):
        assert sum(row["probabilities"].values()) == pytest.approx(1, abs=1e-5)
        assert list(row["probabilities"]) == [entry["code"] for entry in models[row["model"]["id"]]["classes"]]
        assert row["top"]["probability"] == max(row["probabilities"].values())


def test_the_same_picture_gets_the_same_answer_by_page_and_by_api(portal):
    by_api = portal.settled(portal.submit(picture(3)))
    by_page = portal.settled({"id": submit_by_page(portal, picture(3))})
    assert [row["probabilities"] for row in rows(by_api)] == [row["probabilities"] for row in rows(by_page)]
    assert by_api["images"][0]["sha256"] == by_page["images"][0]["sha256"]


def submit_by_page(portal: Portal, content: bytes) -> str:
    """Submit with the form, as a browser without JavaScript does; return the case's id."""
    browser = portal.browser()
    page = browser.get(f"{portal.url}/cases/new/")
    form = {"csrfmiddlewaretoken": csrf_token(page.text), "models": [model["id"] for model in portal.models()]}
    answer = browser.post(page.url, form, files={"images": ("lesion.jpg", content)})
    return re.fullmatch(rf"{re.escape(portal.url)}/cases/(\d+)/", answer.url)[1]


def test_age_sex_and_site_reach_the_model_that_uses_them(portal):
    plain = rows(portal.settled(portal.submit(picture(4))))
    told = rows(portal.settled(portal.submit(picture(4), age="80", sex="male", site="scalp")))
    changed = [one["probabilities"] != other["probabilities"] for one, other in zip(plain, told, strict=True)]
    frameworks = {model["id"]: model["framework"] for model in portal.models()}
    assert {frameworks[row["model"]["id"]]: change for row, change in zip(plain, changed, strict=True)} == {
        "keras": True,
        "torch": False,
    }


def test_the_web_process_is_free_of_frameworks(portal):
    requests.get(f"{portal.url}/accounts/login/", timeout=10)
    assert not FRAMEWORKS.search(Path(f"/proc/{portal.web_worker()}/maps").read_text())


def test_two_portals_run_beside_each_other_also_in_a_folder_with_a_long_path(portal, bare):
    for running in (portal, bare):
        assert requests.get(f"{running.url}/healthz", timeout=10).status_code == 200
    assert not set(bare.pids("")) & set(portal.pids(""))


def test_it_stops_by_either_signal_leaves_nothing_and_starts_again(bare, leaves):
    """In between any worker is above its bound of 100 MB: each answers once, makes way for the next, and drops none."""
    _stop(bare, signal.SIGINT)
    bare.environment["SKINSITE_WORKER_MB"] = "100"
    bare.start()
    cases = [bare.submit(picture(seed), models=[leaves["id"]]) for seed in range(3)]
    answers = [row for case in cases for row in rows(bare.settled(case))]
    assert [(row["state"], row["attempts"]) for row in answers] == [("done", 1)] * 3
    _stop(bare, signal.SIGTERM)
    del bare.environment["SKINSITE_WORKER_MB"]
    bare.start()
    assert rows(bare.settled(bare.submit(picture(1))))[0]["state"] == "done"


def _stop(portal: Portal, sign: signal.Signals) -> None:
    portal.stop(sign)
    assert portal.pids("") == []
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", portal.port)) != 0


def test_killed_processes_lose_no_prediction(portal):
    """A short run of what tests/system/chaos.py does at length."""
    from tests.system.chaos import bombard

    outcome = bombard(portal, predictions=40, workers=2, brokers=1, webs=1)
    assert outcome["states"] == {"done": 40}, outcome
    assert outcome["explained"] == 40
    assert outcome["held_up_s"] <= 60
