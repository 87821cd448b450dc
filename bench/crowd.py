"""One person, and thirty at once, on a portal and on the single process that people would build instead, in turn."""

import re
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self

import requests

from tests.pictures import picture
from tests.system.portal import FINAL, Portal

ROUNDS = 7
CALLS = 10  # of the single process in a round: it serves thirty as it serves ten, one after the other
POLL_SECONDS = 0.25
PATIENCE_SECONDS = 300


class OneProcess:
    """`bench.one_process` as a context."""

    def __init__(self, bundles: Path, pictures: Sequence[Path]) -> None:
        self.command = [sys.executable, "-m", "bench.one_process", str(bundles)]
        self.pictures = pictures

    def __enter__(self) -> Self:
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self.seconds(2)
        return self

    def __exit__(self, *exception: object) -> None:
        self.process.kill()
        self.process.wait()

    def seconds(self, calls: int) -> float:
        """Return the mean seconds for one picture."""
        assert self.process.stdin
        assert self.process.stdout
        spent = []
        for number in range(calls):
            print(self.pictures[number % len(self.pictures)], file=self.process.stdin, flush=True)
            spent.append(float(self.process.stdout.readline()))
        return statistics.fmean(spent)


def measure_crowd(portal: Portal, tokens: Sequence[str], folder: Path) -> dict[str, float]:
    """Return seconds, cases a second, memory, and their ratios; raises AssertionError if anybody's case fails."""
    pictures = [folder / f"{number}.jpg" for number in range(len(tokens))]
    for number, path in enumerate(pictures):
        path.write_bytes(picture(number, (600, 450)))
    models = [model["id"] for model in portal.models()]
    alone, crowd, waits, script, memory = [], [], [], [], []
    with OneProcess(portal.data / "models" / "bundles", pictures) as one:
        for _ in range(ROUNDS):
            script.append(one.seconds(CALLS))
            alone.append(_submit(portal, tokens[0], pictures[0], models))
            began = time.perf_counter()
            with ThreadPoolExecutor(len(tokens)) as people:
                seconds = list(
                    people.map(lambda each: _submit(portal, *each, models), zip(tokens, pictures, strict=True))
                )
            crowd.append(len(tokens) / (time.perf_counter() - began))
            waits.append(statistics.median(seconds))
            memory.append(sum(map(memory_mb, portal.pids(""))))
        theirs = statistics.median(script)
        return {
            "person_seconds": round(statistics.median(alone), 3),
            "person_vs_one_process": round(theirs / statistics.median(alone), 2),
            "crowd_cases_per_second": round(statistics.median(crowd), 2),
            "crowd_median_wait_seconds": round(statistics.median(waits), 2),
            "crowd_vs_one_process": round(statistics.median(crowd) * theirs, 2),
            "portal_mb": round(max(memory)),
            "one_process_mb": round(memory_mb(one.process.pid)),
        }


def memory_mb(pid: int) -> float:
    """A process's memory in MB, its part of what it shares with others (PSS)."""
    found = re.search(r"^Pss:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    return int(found[1]) / 1000 if found else 0.0


def _submit(portal: Portal, token: str, path: Path, models: Sequence[Any]) -> float:
    """Submit one case and look after it as the page does; return the seconds until both models have answered."""
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {token}"
    began = time.perf_counter()
    files = {"images": (path.name, path.read_bytes())}
    answer = session.post(f"{portal.url}/api/v1/cases", files=files, data={"models": models}, timeout=60)
    assert answer.status_code == requests.codes.accepted, answer.text
    case = answer.json()
    while case["state"] not in FINAL:
        assert time.perf_counter() - began < PATIENCE_SECONDS, case
        time.sleep(POLL_SECONDS)
        case = session.get(f"{portal.url}/api/v1/cases/{case['id']}", timeout=60).json()
    assert case["state"] == "done", case
    finished = [row["state"] for image in case["images"] for row in image["predictions"]]
    assert finished == ["done"] * len(models), case
    return time.perf_counter() - began
