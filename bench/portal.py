"""What a person waits for: pages and the queue, over HTTP, on a portal with its own workers and years of cases."""

import statistics
import time
from datetime import datetime

import requests

from tests.pictures import picture
from tests.system.portal import Portal

PAGES = ("/", "/cases/", "/cases/new/", "/models/", "/datasets/", "/evaluations/", "/comparisons/", "/about/")
ROUNDS = 20


def measure_portal(portal: Portal, evaluation: str) -> dict[str, float]:
    """Return `web_p95_ms` of the slowest page and `queue_overhead_ms`, the median over warm predictions.

    `evaluation` is the address of an evaluation of 10,015 images, whose page has a figure of its own.
    """
    portal.settled(portal.submit(picture(0, (600, 450))))
    case = portal.api("GET", "/cases").json()["items"][0]["id"]
    model = portal.models()[0]["id"]
    pages = _pages(portal, [*PAGES, f"/cases/{case}/", f"/models/{model}/", evaluation])
    large = pages.pop(evaluation)
    slowest = max(pages, key=lambda page: pages[page])
    return {
        "web_p95_ms": pages[slowest],
        "web_p95_page": slowest.replace(case, "…"),
        "evaluation_page_p95_ms": large,
        "evaluation_page_kb": round(len(portal.browser().get(portal.url + evaluation, timeout=30).content) / 1000),
        "queue_overhead_ms": _queue_overhead(portal),
    }


def _pages(portal: Portal, pages: list[str]) -> dict[str, float]:
    """Return the 95th percentile of each page in ms, asked for in turn."""
    browser = portal.browser()
    seconds: dict[str, list[float]] = {page: [] for page in pages}
    for _ in range(ROUNDS):
        for page in pages:
            began = time.perf_counter()
            answer = browser.get(portal.url + page, timeout=30)
            seconds[page].append(time.perf_counter() - began)
            assert answer.status_code == requests.codes.ok, (page, answer.status_code)
    return {page: round(1000 * statistics.quantiles(spent, n=20)[-1], 1) for page, spent in seconds.items()}


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
