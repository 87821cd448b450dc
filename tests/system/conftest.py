"""One real portal for the whole session: it takes a minute to make the demo content."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.portal import Portal


@pytest.fixture(scope="session")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    data: Path = tmp_path_factory.mktemp("portal") / "data"
    with Portal(data) as running:
        running.models_at_first_start = running.models()
        running.web_mb_at_first_start = running.resident_mb([running.web_worker()])
        yield running
