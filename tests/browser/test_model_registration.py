"""An administrator registers a model file in the browser: with progress, and once; and sees what a refusal asks for."""

import re

import pytest
from playwright.sync_api import expect

from classifier.models import Admission, ModelRecord
from classifier.services.models.uploads import uploads_folder
from tests.browser.test_pages import violations
from tests.factories.rows import make_model, make_user

pytestmark = pytest.mark.browser
ADD = "/admin/classifier/modelrecord/add/"
FILE = {"name": "best.h5", "mimeType": "application/octet-stream", "buffer": b"some weights" * 1000}


@pytest.fixture
def administrator(models):
    return make_user("root", is_staff=True, is_superuser=True).username


def test_a_file_is_sent_once_even_if_the_form_was_wrong(open_page, administrator):
    page = open_page(ADD, user=administrator)
    before = set(uploads_folder().iterdir())
    page.set_input_files("[name=file]", FILE)
    expect(page.locator("[data-upload-words]")).to_contain_text("need not be sent again")
    page.fill("[name=name]", "Xception")
    page.click("[name=_save]")
    expect(page.locator(".errorlist")).to_contain_text("another version")
    expect(page.locator("[data-upload-words]")).to_contain_text("best.h5")
    page.fill("[name=version]", "2")
    page.fill("[name=classes]", "nv, mel")
    page.click("[name=_save]")
    page.wait_for_url(re.compile(r"/models/\d+/$"))
    expect(page.locator(".checking [role=status]")).to_contain_text("best.h5")
    record = ModelRecord.objects.get(name="Xception", version="2")
    assert {record.upload_path} == set(uploads_folder().iterdir()) - before
    assert record.upload_path.read_bytes() == FILE["buffer"]


def test_the_form_works_without_scripts(open_page, administrator):
    page = open_page(ADD, user=administrator, java_script_enabled=False)
    page.set_input_files("[name=file]", FILE)
    page.fill("[name=name]", "By hand")
    page.click("[name=_save]")
    page.wait_for_url(re.compile(r"/models/\d+/$"))
    assert ModelRecord.objects.get(name="By hand").upload_path.read_bytes() == FILE["buffer"]


def test_a_candidate_is_chosen_with_one_click(open_page, administrator):
    error = {"code": "needs-choice", "message": "Two networks fit.", "hint": "Choose.", "candidates": []}
    error["candidates"] = [{"architecture": {"family": "timm", "name": name}, "differs": ""} for name in ("one", "two")]
    record = make_model("Doubt", state="refused", bundle="", sha256="", error=error)
    page = open_page(record.get_absolute_url(), user=administrator, bypass_csp=True)
    assert violations(page) == []
    page.click("button:has-text('Check as this: timm two')")
    expect(page.locator("section.checking")).to_be_visible()
    assert Admission.objects.get(record=record).manifest["architecture"]["name"] == "two"


@pytest.mark.parametrize("width", [1440, 320])
def test_a_long_report_fits_and_is_accessible(open_page, administrator, width):
    report = [{"check": name, "passed": True, "detail": "word " * 30} for name in ("content", "repair", "same", "odd")]
    moved = [{"what": "resized without antialiasing", "largest": 0.2, "changed": 1, "pictures": 6}]
    card = "# Card\n\n| a long heading | another long heading | more |\n| --- | --- | --- |\n| 1 | 2 | 3 |"
    measured = {"plumbing": moved, "stages_s": {"convert": 1.0, "prove": 2.0}}
    make_model("Long", report=report[:2], measured=measured)
    record = make_model("Long", version="2", report=report, measured=measured, card=card, sha256="f" * 64)
    page = open_page(
        record.get_absolute_url(), user=administrator, viewport={"width": width, "height": 800}, bypass_csp=True
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert violations(page) == []
