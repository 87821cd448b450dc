"""What tests of whole evaluations share: no broker, and figures only where a test asks for them."""

from functools import partial

import pytest

from evaluation.services.evaluations import score
from tests.evaluation.made import Fake


@pytest.fixture
def quiet(monkeypatch) -> None:
    """Send nothing, and let no heart beat: its thread cannot write while a test's transaction is open."""
    monkeypatch.setattr("skinsite.jobs.send.publish", lambda *_: None)
    monkeypatch.setattr("skinsite.jobs.attempt.HEARTBEAT_SECONDS", 3600.0)


@pytest.fixture
def no_figures(monkeypatch) -> None:
    monkeypatch.setattr(score, "_figures", lambda *_: {})


@pytest.fixture
def few_replicates(monkeypatch) -> None:
    """Draw 50 times for the intervals, where no test looks at them."""
    monkeypatch.setattr(score.textbook, "sheet", partial(score.textbook.sheet, replicates=50))


@pytest.fixture
def fake(monkeypatch) -> Fake:
    found = Fake()
    monkeypatch.setattr("evaluation.services.evaluations.run.load_classifier", lambda model: (found, 0.0))
    return found


@pytest.fixture
def no_broker(monkeypatch):
    """No broker runs in these tests: messages are counted as sent."""
    sent = []
    monkeypatch.setattr("skinsite.jobs.send.publish", lambda task, pks, queue: sent.append((task, pks, queue)))
    return sent
