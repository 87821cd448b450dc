"""Admissions whose children are played by the processes of the frameworks: the same stages, files and answers.

Three starts of a framework, 5 to 10 seconds of work, are saved each time. test_journeys.py goes the whole way, behind
the sandbox.
"""

import os
import time
from pathlib import Path
from typing import Any

import pytest

from skinsite.sandbox import run
from skinsite.sandbox.run import ChildResult, ExitReason
from tests.admission import children
from tests.conftest import InProcess


def _play(monkeypatch: pytest.MonkeyPatch, process: InProcess) -> None:
    def played(task: str, *, request: dict[str, Any], folder: Path, **_options: Any) -> ChildResult:
        began = time.monotonic()
        upload = f"/proc/{os.getpid()}/fd/{request['descriptor']}" if "descriptor" in request else ""
        process(children.answer, task, request, folder.resolve(), upload)
        seconds = time.monotonic() - began
        return ChildResult(ExitReason.ANSWERED, seconds, seconds, 1, 0, "", ("no sandbox: a test plays the child",))

    monkeypatch.setattr(run, "run", played)


@pytest.fixture
def torch_children(in_torch: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    _play(monkeypatch, in_torch)


@pytest.fixture
def keras_children(in_keras: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    _play(monkeypatch, in_keras)
