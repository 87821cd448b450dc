"""A pickle says what it would call without being run."""

import collections
import io
import os
import pickle
from pathlib import Path

import pytest

from classifier.admission import pickles


class Canary:
    """Unpickling it would make a file."""

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, ("PICKLE_WAS_EXECUTED",)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_every_protocol_names_what_it_calls(protocol: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names = list(pickles.called_names(io.BytesIO(pickle.dumps([Canary(), collections.OrderedDict()], protocol))))
    assert names == ["posix.mkdir", "collections.OrderedDict"]
    assert not list(tmp_path.iterdir())


def test_a_repeated_name_is_found_through_the_memo() -> None:
    names = list(pickles.called_names(io.BytesIO(pickle.dumps([Canary(), "posix", "mkdir", Canary()], 4))))
    assert set(names) == {"posix.mkdir"}


@pytest.mark.parametrize("content", [b"", b"\x80\x04\x95", b"\xff\xff", b"\x80\x04]"])
def test_what_is_no_pickle_is_called_damaged(content: bytes) -> None:
    with pytest.raises(pickles.Damaged):
        list(pickles.called_names(io.BytesIO(content)))
