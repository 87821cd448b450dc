"""The seconds and megabytes that a portal must not pass: measured and judged by `make bench`."""

import statistics
import time
from collections.abc import Mapping
from pathlib import Path

import requests

from tests.pictures import picture
from tests.system.portal import Portal, csrf_token

LIMITS = {
    "web_mb": 150,
    "case_with_maps_seconds": 3,
    "upload_growth_mb": 32,
    "evaluation_page_p95_ms": 300,
    "evaluation_page_kb": 400,
    "queue_overhead_ms": 60,
    "stop_seconds": 20,
    "second_start_seconds": 30,
}
"""The largest value of each figure; `web_mb` is the resident memory of the web process before anybody came."""
ROUNDS = 3
UPLOAD_BYTES = 400 * 1024**2


def at_first_start(portal: Portal, folder: Path) -> dict[str, float]:
    """Return what is measured on a portal that nobody has used yet."""
    web_mb = portal.resident_mb([portal.web_worker()])
    portal.settled(portal.submit(picture(1, (600, 450))))
    seconds = [_answered(portal, seed) for seed in range(ROUNDS)]
    return {
        "web_mb": round(web_mb),
        "case_with_maps_seconds": round(statistics.median(seconds), 2),
        "upload_growth_mb": round(_upload_growth(portal, folder / "large.h5")),
    }


def of_a_restart(portal: Portal) -> dict[str, float]:
    """Stop the portal and start it again, twice; the better time of each counts."""
    stops, starts = [], []
    for _ in range(2):
        stops.append(portal.stop())
        portal.start()
        starts.append(portal.seconds_to_ready)
    return {"stop_seconds": round(min(stops), 1), "second_start_seconds": round(min(starts), 1)}


def passed(figures: Mapping[str, float]) -> list[str]:
    """Return a line for each limit that was passed; all of them must have been measured."""
    return [
        f"{name} is {figures[name]} and must not be above {limit}"
        for name, limit in LIMITS.items()
        if figures[name] > limit
    ]


def _answered(portal: Portal, seed: int) -> float:
    began = time.monotonic()
    case = portal.settled(portal.submit(picture(seed, (600, 450))))
    rows = [row for image in case["images"] for row in image["predictions"]]
    assert all(row["state"] == "done" and row["explanation"]["url"] for row in rows), case
    return time.monotonic() - began


def _upload_growth(portal: Portal, sparse: Path) -> float:
    """The MB by which the web process is larger after it has taken a model file of 400 MB."""
    with sparse.open("wb") as file:
        file.truncate(UPLOAD_BYTES)
    browser = portal.browser("admin")
    token = csrf_token(browser.get(f"{portal.url}/admin/classifier/modelrecord/add/", timeout=30).text)
    before = portal.resident_mb([portal.web_worker()])
    with sparse.open("rb") as body:
        answer = browser.post(
            f"{portal.url}/admin/classifier/modelrecord/upload/?name=large.h5",
            data=body,
            headers={"X-CSRFToken": token, "Content-Type": "application/octet-stream"},
            timeout=300,
        )
    assert answer.status_code == requests.codes.ok, answer.text
    assert answer.json()["size"] == UPLOAD_BYTES
    return portal.resident_mb([portal.web_worker()]) - before
