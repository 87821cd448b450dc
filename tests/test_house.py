"""The rules of the house that a machine can check."""

import ast
import os
import re
import subprocess
import sys
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import pytest

from classifier.admission.admit import STAGES
from classifier.admission.manifest import describe
from evaluation.intake.archive_child import DECODE, SURVEY

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


@pytest.mark.parametrize("process", ["", "skinsite.wsgi", "skinsite.celery"])
def test_files_go_with_their_rows_in_every_process(process):
    """A receiver in a module that a process does not import leaves pictures behind; here none imports any by chance."""
    program = """
import sys, importlib, django
django.setup()
[importlib.import_module(name) for name in sys.argv[1:] if name]
from django.apps import apps
from django.db.models.signals import post_delete
rows = ["classifier.CaseImage", "evaluation.DataSet", "evaluation.LabelledImage", "evaluation.Evaluation"]
print([row for row in rows if not post_delete.has_listeners(apps.get_model(row))])
"""
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "skinsite.settings"}
    command = [sys.executable, "-c", program, process]
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
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


def test_lines_of_templates_and_styles_are_short():
    """One attribute or one sentence a line: what is longer than a screen is read by nobody."""
    files = [*(ROOT / "templates").rglob("*.html"), *(ROOT / "static" / "css").glob("*.css")]
    long = [
        f"{file.name}:{n}"
        for file in files
        for n, line in enumerate(file.read_text().split("\n"), 1)
        if len(line) > 160
    ]
    assert len(files) > 80
    assert long == []


def test_rules_of_styles_are_closed_where_they_end():
    """A brace too early leaves an empty rule, and a browser says nothing."""
    for path in (ROOT / "static" / "css").glob("*.css"):
        style = path.read_text()
        assert style.count("{") == style.count("}"), path
        assert not re.search(r"\{\s*\}", style), path


def test_no_folder_is_crowded():
    """Nothing is found within a minute in a folder of more than 15 modules."""
    counted = Counter(
        path.parent
        for app in ("skinsite", "classifier", "evaluation")
        for path in (ROOT / app).rglob("*.py")
        if path.parent.name != "migrations" and path.name != "__init__.py"
    )
    assert {str(folder): count for folder, count in counted.items() if count > 15} == {}


@pytest.mark.parametrize("task", [SURVEY, DECODE, *(stage.task for stage in STAGES)])
def test_every_task_of_the_sandbox_names_a_function(task):
    """A child imports it by its name; it is looked up in the text, because some import a framework."""
    module, _, function = task.partition(":")
    source = ast.parse(Path(find_spec(module).origin).read_text())
    assert function in {part.name for part in source.body if isinstance(part, ast.FunctionDef)}


def test_tests_of_a_group_run_on_one_worker(request):
    """pytest-xdist 3.8 groups by a suffix of the id, which pytest 9.2 ignores without a word: its issue 1386."""
    if not hasattr(request.config, "workerinput"):
        pytest.skip("tests run in one process: there is no group to hold together")
    assert request.node.nodeid.endswith("@test_house")
