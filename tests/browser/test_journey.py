"""What a person does, with and without scripts."""

from typing import Any

import numpy as np
import pytest

from classifier.models import Case, Explanation, ExplanationJob, Prediction
from tests.browser.conftest import finish_all
from tests.factories.rows import make_user
from tests.pictures import picture

pytestmark = pytest.mark.browser
DROP = """(area, bytes) => {
  const transfer = new DataTransfer();
  transfer.items.add(new File([new Uint8Array(bytes)], "dropped.jpg", {type: "image/jpeg"}));
  area.dispatchEvent(new DragEvent("drop", {dataTransfer: transfer, bubbles: true, cancelable: true}));
}"""


def chosen(name: str = "lesion.jpg", seed: int = 0) -> dict:
    return {"name": name, "mimeType": "image/jpeg", "buffer": picture(seed, (320, 240))}


def test_a_person_logs_in_with_a_form(open_page):
    person = make_user("alice")
    person.set_password("a long evening")
    person.save()
    page = open_page("/accounts/login/", user="")
    page.fill("[name=login]", "alice")
    page.fill("[name=password]", "a long evening")
    page.press("[name=password]", "Enter")
    page.wait_for_selector("text=Last cases")


def test_pictures_are_chosen_dropped_seen_and_submitted(open_page):
    page = open_page("/cases/new/")
    page.set_input_files("input[type=file]", chosen())
    page.eval_on_selector("[data-drop]", DROP, list(picture(1, (320, 240))))
    page.wait_for_selector("[data-thumbs] li >> nth=1")
    assert page.text_content("[data-submit]") == "Predict 2 images with 2 models"
    page.click("text=Remove >> nth=0")
    page.uncheck("[data-model] >> nth=0")
    assert page.text_content("[data-submit]") == "Predict 1 image with 1 model"
    page.click("[data-submit]")
    page.wait_for_url("**/cases/*/")
    assert Case.objects.get().images.get().name == "dropped.jpg"


def draw_all(**of: Any) -> None:
    """Finish the maps that were asked for, or those `of` a model."""
    for job in ExplanationJob.objects.filter(state="queued", **of).select_related("prediction"):
        token = ExplanationJob.objects.claim(job.pk, in_hand=True)
        values = np.linspace(-1, 1, 7 * 16, dtype="<f4").tobytes()
        fields = {"layer": "last", "rows": 4, "columns": 4, "region": [0, 0, 320, 240], "maps": values}
        Explanation.objects.create(prediction=job.prediction, method=job.method, **fields)
        ExplanationJob.objects.finish(job.pk, token)


def test_the_first_models_map_is_waited_for_and_a_choice_is_kept(open_page, case, models):
    first, second = models
    page = open_page(f"/cases/{case.pk}/")
    finish_all(case, model=second)
    page.wait_for_selector("text=Second opinion says")
    assert not page.is_visible("[data-heat]")
    finish_all(case, model=first)
    page.wait_for_selector("[data-heat]:not([hidden])")
    assert "Xception" in page.text_content("[data-legend-words]")
    page.keyboard.press("2")
    page.select_option("[data-method]", "hirescam")
    page.wait_for_selector("text=HiResCAM waits for the worker >> nth=1")
    draw_all(prediction__model=first)
    page.wait_for_selector("text=HiResCAM waits for the worker >> nth=1", state="detached")
    assert not page.is_visible("[data-heat]")
    draw_all(prediction__model=second)
    page.wait_for_selector("[data-heat]:not([hidden])")
    assert "HiResCAM, Second opinion" in page.text_content("[data-legend-words]")


def test_the_page_refreshes_itself_when_the_models_have_answered(open_page, case):
    page = open_page(f"/cases/{case.pk}/")
    assert "in the queue" in page.text_content("[data-panel]")
    page.evaluate("window.stayed = true")
    finish_all(case)
    page.wait_for_selector("[data-panel]:not([hx-get])")
    page.wait_for_selector("[data-heat]:not([hidden])")
    assert "Both models say melanocytic nevus." in page.text_content("[data-panel]")
    assert page.evaluate("window.stayed")
    assert page.locator(".filmstrip .job-state").count() == 0


def test_the_map_follows_class_scale_opacity_and_keys(open_page, case):
    finish_all(case)
    page = open_page(f"/cases/{case.pk}/")
    row = page.locator("[data-map]").nth(1)
    row.click()
    prediction, _, code = row.get_attribute("data-map").partition(".")
    assert f"/predictions/{prediction}/heat.png" in page.get_attribute("[data-heat]", "src")
    assert f"class={code}" in page.get_attribute("[data-heat]", "src")
    peak = page.text_content("[data-legend-peak]")
    page.click("text=absolute")
    assert "scale=absolute" in page.get_attribute("[data-heat]", "src")
    assert page.text_content("[data-legend-peak]") != peak
    page.fill("[data-opacity]", "30")
    assert page.evaluate("getComputedStyle(document.querySelector('[data-heat]')).opacity") == "0.3"
    page.locator("[data-stage]").focus()
    page.keyboard.press("h")
    assert not page.is_visible("[data-heat]")
    page.keyboard.press("h")
    before = page.get_attribute("[data-heat]", "src")
    page.keyboard.press("c")
    assert page.get_attribute("[data-heat]", "src") != before
    page.keyboard.press("2")
    assert "Second opinion" in page.text_content("[data-legend-words]")
    page.keyboard.press("ArrowRight")
    page.wait_for_url("**image=*")


def test_the_map_stays_on_the_picture_while_zooming(open_page, case):
    finish_all(case)
    page = open_page(f"/cases/{case.pk}/")
    page.locator("[data-picture]").hover()
    page.mouse.wheel(0, -500)
    page.wait_for_selector(".stage.zoomed")
    picture_box, heat_box = (page.locator(name).bounding_box() for name in ("[data-picture]", "[data-heat]"))
    assert picture_box == pytest.approx(heat_box, abs=0.5)
    assert picture_box["width"] > 400
    page.locator("[data-stage]").dblclick()
    page.wait_for_selector(".stage:not(.zoomed)")


def test_everything_works_without_scripts(open_page, case):
    page = open_page("/cases/new/", java_script_enabled=False)
    page.set_input_files("input[type=file]", chosen())
    page.click("button:has-text('Predict')")
    page.wait_for_url("**/cases/*/")
    newest = Case.objects.latest("pk")
    assert page.is_visible("text=Reload")
    finish_all(newest)
    page.reload()
    assert page.is_visible("[data-heat]")
    page.click("[data-map] >> nth=1")
    page.wait_for_url("**map=*")
    page.goto(f"/cases/delete/?id={newest.pk}")
    page.click("button:has-text('Delete')")
    page.wait_for_url("**/cases/")
    assert not Case.objects.filter(pk=newest.pk).exists()


def test_a_selection_is_exported_and_deleted(open_page, case):
    finish_all(case)
    page = open_page("/cases/")
    assert not page.is_visible("text=Export CSV")
    page.check("input[name=id]")
    with page.expect_download() as download:
        page.click("text=Export CSV")
    assert download.value.suggested_filename == "cases.csv"
    page.click("text=Delete…")
    page.click("button[name=really]")
    page.wait_for_selector("text=The case was deleted.")
    assert not Prediction.objects.exists()


def test_another_method_contrasts_sides_and_cells_without_a_new_page(open_page, case):
    finish_all(case)
    page = open_page(f"/cases/{case.pk}/")
    page.evaluate("window.stayed = true")
    page.select_option("[data-method]", "hirescam")
    page.wait_for_selector("text=HiResCAM waits for the worker")
    assert not page.is_visible("[data-heat]")
    draw_all()
    page.wait_for_selector("[data-heat]:not([hidden])")
    assert "method=hirescam" in page.get_attribute("[data-heat]", "src")
    assert page.text_content("[data-legend-words]") == "HiResCAM, Xception: melanocytic nevus"
    page.select_option("[data-against]", "mel")
    page.wait_for_selector("[data-heat][src*='against=mel']")
    assert "rather than melanoma" in page.text_content("[data-legend-words]")
    page.click("text=lowers")
    page.check("text=Cells")
    address = page.get_attribute("[data-heat]", "src")
    assert "side=lowers" in address
    assert "grid=native" in address
    assert page.evaluate("window.stayed")
    assert "side=lowers" in page.url
    with page.expect_download() as download:
        page.click("text=PNG")
    assert download.value.suggested_filename.startswith("map-")
    page.reload()
    assert page.get_attribute("[data-heat]", "src").partition("?")[0] == address.partition("?")[0]
    assert "side=lowers" in page.get_attribute("[data-heat]", "src")
    page.select_option("[data-method]", "eigen-cam")
    page.wait_for_selector("text=Eigen-CAM waits")
    assert page.is_disabled("[data-against]")


def test_a_method_is_chosen_without_scripts(open_page, case):
    finish_all(case)
    page = open_page(f"/cases/{case.pk}/", java_script_enabled=False)
    page.select_option("[data-method]", "occlusion")
    page.click("button:has-text('Show')")
    page.wait_for_url("**method=occlusion**")
    assert ExplanationJob.objects.filter(method="occlusion").count() == 2
    assert page.is_visible("text=Occlusion waits for the worker >> nth=0")
