"""Kill the portal's processes under a stream of predictions, and look at what became of them.

    python -m tests.system.chaos [--predictions 200] [--workers 10] [--brokers 3] [--webs 3]

Ends with one JSON line: the states of all predictions, the attempts, and the longest hold-up.
"""

import argparse
import contextlib
import json
import os
import random
import signal
import tempfile
import threading
import time
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import requests

from tests.pictures import picture
from tests.system.portal import Portal

WORKER = r"celery.*worker|spawn_main|billiard"
BROKER = r"(valkey|redis)-server"
WEB = r"gunicorn"
PICTURES = 5
"""In a case, so that the queues are never empty while something is killed."""


def bombard(
    portal: Portal, *, predictions: int, workers: int, brokers: int, webs: int, everything: bool = True, seed: int = 0
) -> dict[str, Any]:
    """Submit `predictions` faster than they are answered while processes are killed at random; say what happened."""
    dice = random.Random(seed)
    kills = [WORKER] * workers + [BROKER] * brokers + [WEB] * webs
    dice.shuffle(kills)
    if everything:
        kills.insert(len(kills) // 2, "|".join((WORKER, BROKER, WEB)))
    models = [model["id"] for model in portal.models()]
    killer = threading.Thread(target=_kill_all, args=(portal, kills, dice))
    killer.start()
    cases = [_submit(portal, number, models) for number in range(predictions // len(models) // PICTURES)]
    killer.join()
    rows = [row for case in cases for row in _predictions(_settled(portal, case))]
    states = Counter(row["state"] for row in rows)
    return {
        "predictions": len(rows),
        "states": dict(states),
        "kills": Counter(kills).total(),
        "attempts": dict(Counter(row["attempts"] for row in rows)),
        "explained": sum(row["explanation"]["url"] is not None for row in rows),
        "errors": [row["error"] for row in rows if row["error"]],
        "held_up_s": round(_held_up(rows), 1),
    }


def _kill_all(portal: Portal, kills: list[str], dice: random.Random) -> None:
    for pattern in kills:
        time.sleep(dice.uniform(1, 6))
        victims = portal.pids(pattern)
        for pid in victims if "|(" in pattern else dice.sample(victims, min(1, len(victims))):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _submit(portal: Portal, number: int, models: list[str]) -> dict[str, Any]:
    """Submit, and again while the web process is being started again.

    A submission whose answer was lost may have been written: the title tells, so that none is sent twice.
    """
    title = f"chaos {number}"
    while True:
        with contextlib.suppress(requests.ConnectionError, requests.Timeout):
            known = portal.api("GET", "/cases", params={"q": title}).json()["items"]
            exact = [case for case in known if case["title"] == title]
            pictures = [picture(PICTURES * number + place, (320, 240)) for place in range(PICTURES)]
            return exact[0] if exact else portal.submit(*pictures, models=models, title=title)
        time.sleep(0.2)


def _settled(portal: Portal, case: dict[str, Any]) -> dict[str, Any]:
    while True:
        with contextlib.suppress(requests.ConnectionError, requests.Timeout):
            return portal.settled(case, seconds=300)
        time.sleep(0.2)


def _predictions(case: dict[str, Any]) -> list[dict[str, Any]]:
    return [row for image in case["images"] for row in image["predictions"]]


def _held_up(rows: list[dict[str, Any]]) -> float:
    """The longest time in seconds that a prediction ended after one that was submitted later to the same model."""
    longest = 0.0
    for model in {row["model"]["id"] for row in rows}:
        earliest_later = float("inf")
        for row in reversed([row for row in rows if row["model"]["id"] == model]):
            finished = datetime.fromisoformat(row["finished"]).timestamp()
            longest = max(longest, finished - earliest_later)
            earliest_later = min(earliest_later, finished)
    return longest


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("predictions", 200), ("workers", 10), ("brokers", 3), ("webs", 3), ("seed", 0)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = vars(parser.parse_args())
    with tempfile.TemporaryDirectory() as folder, Portal(Path(folder, "data")) as portal:
        print(json.dumps(bombard(portal, **options)))  # noqa: T201


if __name__ == "__main__":
    main()
