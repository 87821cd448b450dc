"""Every page: accessible, without overflow, light enough."""

import pytest
from axe_core_python.sync_playwright import Axe

from classifier.models import ModelRecord, Prediction
from skinsite.jobs import Failure
from tests.browser.conftest import finish_all

pytestmark = pytest.mark.browser
PAGES = ["/", "/about/", "/cases/", "/cases/new/", "/models/", "/accounts/tokens/", "/api/v1/docs", "MODEL", "CASE"]
DARK = [name for name in PAGES if name != "/api/v1/docs"]
"""That one has a thousand elements, in the colours of the others."""
FIRST_PAINT_BYTES = 100_000


def path_of(name: str, case) -> str:
    return {"CASE": f"/cases/{case.pk}/", "MODEL": f"/models/{ModelRecord.objects.first().pk}/"}.get(name, name)


def violations(page, *rules: str) -> list[str]:
    """What is in order is not described: on a large page that takes most of the time."""
    options = {"resultTypes": ["violations"]} | ({"runOnly": list(rules)} if rules else {})
    found = Axe().run(page, options=options)["violations"]
    return [
        f"{entry['id']}: {entry['nodes'][0]['html'][:200]}"
        for entry in found
        if entry["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize(("name", "scheme"), [*((name, "light") for name in PAGES), *((name, "dark") for name in DARK)])
def test_a_page_is_accessible(open_page, case, name, scheme):
    """Between light and dark only the colours differ."""
    finish_all(case)
    page = open_page(path_of(name, case), color_scheme=scheme, bypass_csp=True)
    page.wait_for_load_state("networkidle")
    assert violations(page, *(["color-contrast"] if scheme == "dark" else [])) == []


@pytest.mark.parametrize("state", ["queued", "failed", "cancelled"])
def test_a_case_is_accessible_in_every_state(open_page, case, state):
    for row in Prediction.objects.all():
        if state == "failed":
            token = Prediction.objects.claim(row.pk, in_hand=True)
            Prediction.objects.fail(row.pk, token, Failure("image-missing", "It is gone.", "Submit it again."))
    if state == "cancelled":
        Prediction.objects.all().cancel()
    page = open_page(f"/cases/{case.pk}/", bypass_csp=True)
    assert violations(page) == []


@pytest.mark.parametrize("path", ["/", "/accounts/login/", "/accounts/signup/"])
def test_pages_for_strangers_are_accessible(open_page, path):
    assert violations(open_page(path, user="", bypass_csp=True)) == []


@pytest.mark.parametrize("name", PAGES)
def test_nothing_overflows_a_narrow_screen_and_the_page_is_light(open_page, case, name):
    finish_all(case)
    page = open_page("/about/", viewport={"width": 320, "height": 700})
    sizes = []
    page.on(
        "response",
        lambda answer: sizes.append(answer) if "image" not in answer.headers.get("content-type", "") else None,
    )
    page.goto(path_of(name, case))
    page.wait_for_load_state("networkidle")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert sum(int(answer.headers.get("content-length", 0)) for answer in sizes) <= FIRST_PAINT_BYTES
