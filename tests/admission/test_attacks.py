"""One hostile file of each kind is refused, and none reaches a canary; `bench/attacks.py` tries all of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from classifier.admission.admit import admit
from classifier.admission.report import AdmissionResult
from skinsite.sandbox import confine
from tests.admission.attacks import Attack, all_attacks
from tests.admission.attacks.canaries import Canaries, canaries

pytestmark = pytest.mark.skipif(bool(confine.missing()), reason=f"this kernel lacks {confine.missing()}")
BROKE_DOWN = {"check-crashed", "time-limit", "memory-limit", "disk-limit", "untrusted-answer"}
FRAMEWORKS = {"a storage of 4 TB", "NaN"}
SLOW_TO_MAKE = {"seventy_thousand_members", "configuration_of_60_megabytes"}


def sample() -> list[Attack]:
    """The first of each kind, all that no child has to open, and two that a framework opens."""
    chosen, kinds = [], set()
    for attack in all_attacks():
        first = not attack.opened_by and attack.kind not in kinds and attack.name not in SLOW_TO_MAKE
        if first or attack.name in FRAMEWORKS or "else under" in attack.kind:
            chosen.append(attack)
            kinds.add(attack.kind)
    return chosen


@pytest.fixture(scope="module")
def birds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Canaries]:
    with canaries(tmp_path_factory.mktemp("portal")) as birds:
        yield birds


@pytest.mark.parametrize("attack", sample(), ids=lambda attack: f"{attack.kind}: {attack.name}")
def test_a_hostile_file_is_refused_and_reaches_nothing(attack: Attack, birds: Canaries, tmp_path: Path) -> None:
    manifest = attack.write(tmp_path / "upload", birds.bait)
    birds.touched(AdmissionResult(False, ()))
    result = admit(upload=tmp_path / "upload", manifest=manifest, into=tmp_path / "bundles")
    assert birds.touched(result) == []
    assert not result.accepted
    assert result.error is not None
    assert result.error.code not in BROKE_DOWN
    assert result.error.code == (attack.code or result.error.code)
    assert result.error.message
    assert result.error.hint
    assert not list((tmp_path / "bundles").iterdir())


def test_the_canaries_sing(birds: Canaries) -> None:
    """What would betray an attack is seen when it happens."""
    import socket

    birds.bait.secret.read_text()
    birds.bait.marker.touch()
    socket.create_connection(("127.0.0.1", birds.bait.port)).close()
    leaked = AdmissionResult(False, (), manifest={"name": birds.content})
    found = birds.touched(leaked)
    birds.bait.marker.unlink()
    assert len(found) == 4


def test_the_corpus_is_as_large_as_it_says() -> None:
    attacks = all_attacks()
    assert len(attacks) >= 200
    assert len({attack.kind for attack in attacks}) >= 30
    assert len({(attack.kind, attack.name) for attack in attacks}) == len(attacks)
