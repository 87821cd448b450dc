"""Fixtures for all tests: one process per deep-learning framework, and the real data outside the repository."""

import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from classifier.inference.cache import ClassifierCache

SHARED = Path(os.environ.get("SKINSITE_SHARED", Path(__file__).parents[2] / "shared"))
InProcess = Callable[..., Any]


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
    """Pages name static files by their hashes, in the tests as in production."""
    call_command("collectstatic", verbosity=0, interactive=False)


@pytest.fixture(autouse=True)
def no_model_stays_loaded() -> Iterator[None]:
    """A bundle of the same name may hold another network in the next test."""
    yield
    if predictions := sys.modules.get("classifier.services.predictions.predict"):
        predictions._loaded = ClassifierCache(predictions._loaded._limit)
