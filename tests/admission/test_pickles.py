"""A pickle is read without being run, whatever it says, and in time."""

import argparse
import collections
import io
import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from classifier.admission.torch import pickle_reader, unsafe_globals


class Canary:
    """Unpickling it would make a file."""

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, ("PICKLE_WAS_EXECUTED",)


def read(content: bytes) -> pickle_reader.Pickled:
    return pickle_reader.read(io.BytesIO(content))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_every_protocol_gives_plain_values_and_names(
    protocol: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    plain = {"text": "é", "numbers": [1, 2**70, -3, 1.5, True, None], "nested": {"a": (1, (2,), ())}, 7: b"bytes"}
    found = read(pickle.dumps([plain, plain, Canary(), collections.OrderedDict(a=[1])], protocol))
    first, second, canary, ordered = found.value
    if protocol > 2:
        assert first == plain
    assert first is second
    assert (canary.name, canary.arguments) == ("posix.mkdir", ("PICKLE_WAS_EXECUTED",))
    assert (ordered.items, ordered.arguments) == ({"a": [1]}, ())
    assert [name for name in found.names if not name.startswith("_codecs")] == [
        "posix.mkdir",
        "collections.OrderedDict",
    ]
    assert not list(tmp_path.iterdir())


def test_a_stub_keeps_the_state_of_an_object_and_nothing_else() -> None:
    found = read(pickle.dumps({"arguments": argparse.Namespace(rate=0.1), "best": np.float64(0.5)}, 2))
    namespace = found.value["arguments"]
    assert isinstance(namespace, pickle_reader.UnresolvedGlobal)
    assert (namespace.name, namespace.state) == ("argparse.Namespace", {"rate": 0.1})
    assert unsafe_globals.unsafe(found.names) is None


def test_two_pickles_in_a_row_are_read_one_after_the_other() -> None:
    file = io.BytesIO(pickle.dumps([1], 2) + pickle.dumps({"b": 2}, 2) + b"rest")
    assert (pickle_reader.read(file).value, pickle_reader.read(file).value, file.read()) == ([1], {"b": 2}, b"rest")


@pytest.mark.parametrize(
    "content",
    [b"", b"\x80\x04\x95", b"\xff\xff", b"\x80\x04]", b"K\x01R.", b"\x82\x01.", b"(I1\nI2\nb.", b"h\x05.", b"]K\x01s."],
)
def test_what_is_no_pickle_is_called_damaged(content: bytes) -> None:
    with pytest.raises(pickle_reader.Damaged):
        read(content)


def nested_tuples() -> bytes:
    return b"\x80\x02)" + b"\x85" * 200_000 + b"."


def doubling_tuple_as_key() -> bytes:
    """Hashing the key, or printing it, would take 2^60 steps."""
    return b"\x80\x02})" + b"2\x86" * 60 + b"K\x01s."


def enormous_number_as_every_key() -> bytes:
    """Python hashes a number of 4 MB anew each time that it is a key."""
    return (
        b"\x80\x02}"
        + b"\x8b"
        + (2**22).to_bytes(4, "little")
        + b"\x01" * 2**22
        + b"q\x000("
        + b"h\x00N" * 90_000
        + b"u."
    )


def far_memo() -> bytes:
    return b"\x80\x02Nr\xff\xff\xff\x7f."


def endless_instructions() -> bytes:
    return b"\x80\x02" + b"N0" * 500_000 + b"N."


def huge_text() -> bytes:
    return b"\x80\x04\x8d" + (2**50).to_bytes(8, "little") + b"x" * 100 + b"."


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (nested_tuples, None),
        (doubling_tuple_as_key, None),
        (enormous_number_as_every_key, None),
        (far_memo, None),
        (endless_instructions, pickle_reader.TooLarge),
        (huge_text, pickle_reader.Damaged),
    ],
)
@pytest.mark.timeout(60)
def test_a_bomb_takes_time_in_line_with_its_size(
    make: Any, error: type[Exception] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pickle_reader, "INSTRUCTIONS", 500_000)
    content = make()
    if error is None:
        read(content)
    else:
        with pytest.raises(error):
            read(content)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "posix.system",
            "nt.system",
            "os.popen",
            "subprocess.Popen",
            "builtins.eval",
            "builtins.getattr",
            "runpy._run_code",
        ),
        *(
            "pathlib.os.system",
            "collections.abc.__builtins__",
            "torch.hub.load",
            "torch.load",
            "numpy.load",
            "sys.exit",
        ),
        *(
            "importlib.import_module",
            "__builtin__.exec",
            "webbrowser.open",
            "pickle.loads",
            "io.open",
            "?",
            "timeit.timeit",
        ),
        *(
            "torch.os.system",
            "operator.attrgetter",
            "urllib.request.urlopen",
            "http.client.HTTPConnection",
            "types.FunctionType",
            "mine.utilities.subprocess.run",
        ),
    ],
)
def test_a_name_that_runs_things_is_unsafe(name: str) -> None:
    assert unsafe_globals.unsafe(["collections.OrderedDict", name]) == name


@pytest.mark.parametrize(
    "name",
    [
        *("numpy._core.multiarray.scalar", "numpy.dtype", "_codecs.encode", "argparse.Namespace", "pathlib.PosixPath"),
        *(
            "torch._utils._rebuild_tensor_v2",
            "__main__.Config",
            "functools.partial",
            "builtins.set",
            "datetime.datetime",
        ),
        *("omegaconf.dictconfig.DictConfig", "torch.optim.adamw.AdamW", "torch.nn.functional.relu"),
        *("typing.Any", "signal.Signals", "http.HTTPStatus", "__builtin__.long", "operator.itemgetter"),
    ],
)
def test_a_name_of_an_honest_checkpoint_is_not(name: str) -> None:
    assert unsafe_globals.unsafe([name]) is None
