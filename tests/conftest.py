"""Fixtures for all tests: one process per deep-learning framework, and the real data outside the repository."""

import fcntl
import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from whitenoise.middleware import WhiteNoiseMiddleware

from classifier.inference.cache import ClassifierCache

pytest_plugins = ["tests.people"]
SHARED = Path(os.environ.get("SKINSITE_SHARED", Path(__file__).parents[2] / "shared"))
InProcess = Callable[..., Any]
SLOWEST_FIRST = (
    "system",
    "keras",
    "torch",
    "browser",
    "test_upgrade",
    "test_attacks",
    "test_figures",
    "test_on_postgresql",
)
OF_A_FRAMEWORK = {
    "torch": {"in_torch", "torch_children"},
    "keras": {"in_keras", "keras_children"},
}


def pytest_itemcollected(item: pytest.Item) -> None:
    """Say which tests one worker of xdist takes together: those of a framework, of the portal, of a browser, of a file.

    What is expensive to start is so started once.
    """
    if item.get_closest_marker("xdist_group"):
        return
    fixtures = set(getattr(item, "fixturenames", ()))
    group = next((name for name, needed in OF_A_FRAMEWORK.items() if needed & fixtures), item.path.stem)
    markers = {marker.name for marker in item.iter_markers()}
    item.add_marker(pytest.mark.xdist_group(next(iter(markers & {"system", "browser"}), group)))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Workers begin with what takes long, so that both end together; elsewhere the order stays random."""
    if hasattr(config, "workerinput"):
        groups = [*SLOWEST_FIRST, ""]
        items.sort(key=lambda item: min(map(groups.index, {_group(item), ""} & set(groups))))


def _group(item: pytest.Item) -> str:
    marker = item.get_closest_marker("xdist_group")
    return str(marker.args[0]) if marker else ""


def _framework_process() -> Iterator[InProcess]:
    """Yield a function that calls `function(*arguments)` in one spawned process that lives as long as the session.

    TensorFlow and torch must never meet in one process; a module-level function of a test module runs here instead.
    """
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as pool:
        yield lambda function, *arguments: pool.submit(function, *arguments).result(timeout=300)


@pytest.fixture(scope="session")
def in_torch() -> Iterator[InProcess]:
    yield from _framework_process()


@pytest.fixture(scope="session")
def in_keras() -> Iterator[InProcess]:
    yield from _framework_process()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real dermoscopy, models and broken files; tests that need it skip without it."""
    if not (SHARED / "data").is_dir():
        pytest.skip(f"no real data at {SHARED}: set SKINSITE_SHARED to the folder that holds data/")
    return SHARED / "data"


@pytest.fixture(scope="session", autouse=True)
def collected_static_files() -> None:
    """Pages name static files by their hashes, in the tests as in production; the first worker collects for all."""
    with Path(settings.STATIC_ROOT, "collected").open("a+") as collected:
        fcntl.flock(collected, fcntl.LOCK_EX)
        if collected.tell() == 0:
            call_command("collectstatic", verbosity=0, interactive=False)
            collected.write("once")


@pytest.fixture(scope="session", autouse=True)
def static_files_are_listed_once(collected_static_files: None) -> None:
    """Each client of a test has a middleware of its own, which would look at every file again: 75 ms each time."""
    listed: dict[str, dict[str, Any]] = {}
    list_all = WhiteNoiseMiddleware.update_files_dictionary

    def list_once(self: WhiteNoiseMiddleware, root: str, prefix: str) -> None:
        if root not in listed:
            list_all(self, root, prefix)
            listed[root] = dict(self.files)
        self.files.update(listed[root])

    WhiteNoiseMiddleware.update_files_dictionary = list_once


@pytest.fixture(autouse=True)
def no_heart_beats(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its thread cannot write while a test's transaction is open, and the test would wait for it."""
    monkeypatch.setattr("skinsite.jobs.attempt.HEARTBEAT_SECONDS", 3600.0)


@pytest.fixture(autouse=True)
def no_model_stays_loaded() -> Iterator[None]:
    """A bundle of the same name may hold another network in the next test."""
    yield
    if predictions := sys.modules.get("classifier.services.predictions.predict"):
        predictions._loaded = ClassifierCache(predictions._loaded._limit)
