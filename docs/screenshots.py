"""Take the picture of the README and the start page from a running portal's sample case.

python docs/screenshots.py http://127.0.0.1:8000 USERNAME PASSWORD
"""

import io
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[1]
SIZE = {"width": 1280, "height": 850}


def main(address: str, username: str, password: str) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page(viewport=SIZE, color_scheme="light")
        page.goto(f"{address}/accounts/login/")
        page.fill("[name=login]", username)
        page.fill("[name=password]", password)
        page.press("[name=password]", "Enter")
        page.wait_for_selector("text=Last cases")
        page.click(".wall li:last-child a")
        page.wait_for_selector("[data-panel]:not([hx-get])")
        page.wait_for_load_state("networkidle")
        picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
        browser.close()
    picture.save(ROOT / "static/img/case.webp", quality=82, method=6)


if __name__ == "__main__":
    main(*sys.argv[1:])
