"""What tests of whole evaluations share: no broker, and figures only where a test asks for them."""

from functools import partial

import pytest

from evaluation.metrics import binary, curves, paired, rates, textbook
from evaluation.services.evaluations import score
from tests.factories.evaluations import Fake


@pytest.fixture
def quiet(monkeypatch) -> None:
    monkeypatch.setattr("skinsite.jobs.send.publish", lambda *_: None)


@pytest.fixture
def no_figures(monkeypatch) -> None:
    monkeypatch.setattr(score, "_figures", lambda *_: {})


@pytest.fixture
def few_replicates(monkeypatch) -> None:
    """Intervals of few draws on coarse grids and few thresholds, where no test looks at them."""
    for module, name in (
        (textbook, "sheet"),
        (paired, "pairs"),
        (binary, "exploratory"),
        (binary, "at_sensitivity"),
    ):
        monkeypatch.setattr(module, name, partial(getattr(module, name), replicates=50))
    for module, name, size in (
        (binary, "THRESHOLDS", 12),
        (curves, "BAND_REPLICATES", 20),
        (rates, "RATES", 60),
        (rates, "CORRELATIONS", 12),
        (rates, "COARSE", 32),
    ):
        monkeypatch.setattr(module, name, size)


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
