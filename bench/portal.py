"""What a person waits for: pages and the queue, over HTTP, on a portal with its own workers."""

import statistics
import time
from datetime import datetime

import requests

from tests.pictures import picture
from tests.system.portal import Portal

PAGES = ("/", "/cases/", "/cases/new/", "/models/", "/about/")
ROUNDS = 20


def measure_portal(portal: Portal) -> dict[str, float]:
    """Return `web_p95_ms` over the pages and `queue_overhead_ms`, the median over warm predictions."""
    portal.settled(portal.submit(picture(0, (600, 450))))
    return {"web_p95_ms": _pages(portal), "queue_overhead_ms": _queue_overhead(portal)}


def _pages(portal: Portal) -> float:
    browser = portal.browser()
    case = portal.api("GET", "/cases").json()["items"][0]["id"]
    seconds = []
    for _ in range(ROUNDS):
        for page in (*PAGES, f"/cases/{case}/"):
            began = time.perf_counter()
            answer = browser.get(portal.url + page, timeout=30)
            seconds.append(time.perf_counter() - began)
            assert answer.status_code == requests.codes.ok, page
    return round(1000 * statistics.quantiles(seconds, n=20)[-1], 1)


def _queue_overhead(portal: Portal) -> float:
    """Row created to row finished by the database's times, less load, predict and explain, in ms."""
    overheads = []
    for seed in range(ROUNDS):
        for model in portal.models():
            case = portal.settled(portal.submit(picture(seed, (600, 450)), models=[model["id"]]))
            (row,) = case["images"][0]["predictions"]
            spent = datetime.fromisoformat(row["finished"]) - datetime.fromisoformat(row["queued"])
            work = sum(row["timings_ms"][step] for step in ("load", "predict", "explain"))
            overheads.append(spent.total_seconds() * 1000 - work)
    return round(statistics.median(overheads), 1)
