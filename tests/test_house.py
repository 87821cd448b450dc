"""The rules of the house that a machine can check."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from classifier.admission.manifest import describe

ROOT = Path(__file__).parents[1]
VARIABLES = sorted(
    set(re.findall(r'os\.environ\.get\("(\w+)"', (ROOT / "skinsite" / "settings.py").read_text())) | {"SKINSITE_SHARED"}
)


@pytest.mark.parametrize("variable", VARIABLES)
def test_every_setting_is_documented(variable):
    assert f"`{variable}`" in (ROOT / "docs" / "settings.md").read_text()


@pytest.mark.parametrize(
    "program",
    [
        "import sys, skinsite.wsgi, django.urls; django.urls.get_resolver().url_patterns",
        "import sys; from skinsite.celery import app; app.loader.import_default_modules()",
    ],
    ids=["web", "worker"],
)
def test_processes_start_without_frameworks(program):
    """The web process and everything its addresses need, a worker and all its tasks, in fresh interpreters."""
    heavy = {"scipy", "sklearn", "tensorflow", "keras", "torch", "onnx", "onnxruntime", "matplotlib"}
    program += f"; print(sorted({heavy} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_the_page_of_the_manifest_is_fresh():
    """`python -m classifier.admission.manifest.describe` writes it."""
    page = describe.PAGE.read_text()
    assert describe.written(page) == page
    assert all(field.about for field in describe.fields().values())


def test_the_import_rules_hold():
    run = subprocess.run(
        [Path(sys.executable).with_name("lint-imports")], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout


def test_every_requirement_is_pinned():
    for name in ("requirements.txt", "requirements-dev.txt"):
        lines = [line for line in (ROOT / name).read_text().splitlines() if line and not line.startswith("#")]
        assert all(re.fullmatch(r"[\w.-]+==[\w.]+", line) for line in lines)


def test_the_models_and_the_migrations_agree():
    subprocess.run([sys.executable, "manage.py", "makemigrations", "--check", "--dry-run"], cwd=ROOT, check=True)
