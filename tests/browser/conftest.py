"""Real Chromium against a live server; the workers' part is played by rows that the test finishes itself."""

import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.test import Client
from django.test.testcases import LiveServerThread, _StaticFilesHandler

from classifier.models import Case, Explanation, Prediction
from classifier.services.cases.create import CaseDetails, Upload, create_case
from tests.factories.rows import SEVEN, make_model, make_user
from tests.pictures import picture

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # Playwright's loop runs in this thread, and nothing here is async


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is not installed")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=[*FLAGS, "--no-first-run"])
        yield browser
        browser.close()


class LiveServer:
    """Django's own, with the collected static files under their hashed names, as in production."""

    def __init__(self) -> None:
        self.thread = LiveServerThread("127.0.0.1", static_handler=_StaticFilesHandler)
        self.thread.daemon = True
        self.thread.start()
        self.thread.is_ready.wait()
        assert self.thread.error is None
        self.url = f"http://127.0.0.1:{self.thread.port}"


@pytest.fixture(scope="session")
def site() -> Iterator[LiveServer]:
    server = LiveServer()
    yield server
    server.thread.terminate()


@pytest.fixture
def models(transactional_db) -> list[Any]:
    return [make_model("Xception", is_default=True), make_model("Second opinion", framework="torch", is_default=True)]


@pytest.fixture
def open_page(chromium, site, models) -> Iterator[Callable[..., Any]]:
    """Open pages as Alice (or nobody); a test fails if the browser's console reported an error."""
    contexts, complaints = [], []

    def open_(path: str = "", *, user: str = "alice", **options: Any) -> Any:
        context = chromium.new_context(base_url=site.url, **{"viewport": {"width": 1440, "height": 900}, **options})
        contexts.append(context)
        if user:
            client = Client()
            client.force_login(make_user(user))
            session = {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": site.url}
            context.add_cookies([session])
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(path)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def case(models) -> Case:
    uploads = [Upload(f"{seed}.jpg", io.BytesIO(picture(seed, (320, 240)))) for seed in range(2)]
    return create_case(owner=make_user("alice"), uploads=uploads, models=models, details=CaseDetails(title="Left arm"))


def finish_all(case: Case, **of: Any) -> None:
    """Answer every queued prediction, or those `of` a model, with a map whose peak is at the right."""
    for row in Prediction.objects.filter(image__case=case, state="queued", **of).select_related("model"):
        token = Prediction.objects.claim(row.pk, in_hand=True)
        shares = {code: 0.7 if code == "nv" else 0.05 for code in SEVEN}
        result = {"top_code": "nv", "top_probability": 0.7, "load_ms": 0, "predict_ms": 80.0, "explain_ms": 3.0}
        values = np.linspace(0, 1, 7 * 8 * 8, dtype="<f4").tobytes()
        fields = {"layer": "last", "rows": 8, "columns": 8, "region": [0, 0, 320, 240], "maps": values}
        Explanation.objects.create(prediction=row, **fields)
        Prediction.objects.finish(row.pk, token, probabilities=shares, **result)
