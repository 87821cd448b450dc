"""Two real portals for the whole session: one with the demo models, which takes a minute, and one without."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.system.leaves import LEAVES, leaf_network
from tests.system.portal import Portal


@pytest.fixture(scope="session")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    data: Path = tmp_path_factory.mktemp("portal") / "data"
    with Portal(data) as running:
        running.models_at_first_start = running.models()
        yield running


@pytest.fixture(scope="session")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """A portal without demo content, quick to start again; its path is too long for a socket of the broker."""
    folder = tmp_path_factory.mktemp("bare") / ("long" * 20) / ("longer" * 10)
    folder.mkdir(parents=True)
    with Portal(folder / "data", SKINSITE_DEMO="0") as running:
        running.manage("demo_accounts")
        yield running


@pytest.fixture(scope="session")
def leaves(bare: Portal) -> dict[str, Any]:
    """A tiny model of another field, registered over the API of the bare portal."""
    model = bare.register(leaf_network(), LEAVES)
    assert model["state"] == "ready", model
    return model
