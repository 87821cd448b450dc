"""What a confined child left is read as if an attacker had written it."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from skinsite.sandbox import confine
from skinsite.sandbox.ask import TEXT_LENGTH, Answer, ChildStopped, InvalidChildOutput, ask, parse, plain, read_answer
from skinsite.sandbox.run import ExitReason, Limits

SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["number"],
    "properties": {
        "number": {"type": "integer"},
        "words": {"type": "array", "maxItems": 3, "items": {"type": "string"}},
        "free": {"type": "object"},
    },
}
LIMIT = 1000
GIB = 1024**3
needs_walls = pytest.mark.skipif(bool(confine.missing()), reason=f"this kernel lacks {confine.missing()}")


def asked(task: str, folder: Path, *, disk: int = 64 * 1024**2, **request: Any) -> Answer:
    limits = Limits(seconds=20, memory=GIB, disk=disk)
    task = f"tests.sandbox.mischief:{task}"
    return ask(task, request=request, schema=SCHEMA, folder=folder, limits=limits, verbatim=("free",))


@needs_walls
def test_an_answer_comes_back_clean_but_for_what_its_reader_checks(tmp_path: Path) -> None:
    content = {"number": 3, "words": ["red \x1b[31m", "turned \u202e round", "e\u0301"], "free": {"as it": "is\x07"}}
    answer = asked("hand_back", tmp_path, content=content)
    assert answer.content == {
        "number": 3,
        "words": ["red �[31m", "turned � round", "é"],
        "free": {"as it": "is\x07"},
    }
    assert answer.child.reason is ExitReason.ANSWERED
    assert answer.child.seconds > 0


@needs_walls
@pytest.mark.parametrize(
    ("task", "request_"),
    [
        ("leave_answer", {"text": '{"number": NaN}'}),
        ("leave_answer", {"text": '{"number": 1}', "size": 2 * GIB}),
        ("leave_hard_link", {}),
        ("hand_back", {"content": [1]}),
    ],
)
def test_an_answer_of_another_kind_is_not_used(tmp_path: Path, task: str, request_: dict[str, Any]) -> None:
    with pytest.raises(InvalidChildOutput):
        asked(task, tmp_path, disk=4 * GIB, **request_)


@needs_walls
@pytest.mark.parametrize(
    ("task", "request_", "reason"),
    [
        ("die", {}, ExitReason.CRASHED),
        ("leave_answer", {"text": '{"number": 1}', "size": 2 * GIB}, ExitReason.CRASHED),
        ("leave_files", {"count": 200, "size": 1024**2}, ExitReason.DISK),
    ],
)
def test_a_child_that_did_not_answer_says_how_it_ended(
    tmp_path: Path, task: str, request_: dict[str, Any], reason: ExitReason
) -> None:
    """One file above the limit ends the child; many files are counted, also those of its last moment."""
    with pytest.raises(ChildStopped) as stopped:
        asked(task, tmp_path, **request_)
    assert stopped.value.result.reason is reason


def deep(levels: int) -> bytes:
    return b'{"a":' * levels + b"1" + b"}" * levels


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"words",
        b"[]",
        b"{}",
        b'{"number": "1"}',
        b'{"number": true}',
        b'{"number": 1.0}',
        b'{"number": NaN}',
        b'{"number": 1, "free": {"x": -Infinity}}',
        b'{"number": 1, "free": {"x": 1e999}}',
        b'{"number": ' + b"9" * 5000 + b"}",
        b'{"number": 1, "more": 2}',
        b'{"number": 1, "words": [1]}',
        b'{"number": 1, "words": ["", "", "", ""]}',
        b'{"number": 1} {"number": 1}',
        b'{"number": 1, "words": ["\xff"]}',
        b'{"number": 1, "free": ' + deep(100_000) + b"}",
    ],
)
def test_what_is_no_finite_json_of_this_shape_is_not_used(text: bytes) -> None:
    with pytest.raises(InvalidChildOutput):
        parse(text, SCHEMA)


def test_a_nesting_that_python_still_reads_is_no_error_of_ours(tmp_path: Path) -> None:
    """Cleaning goes deeper than reading did: whatever Python can read is either cleaned or refused."""
    ends = set()
    for levels in range(50, 1000, 50):
        (tmp_path / "answer.json").write_bytes(b'{"number": 1, "free": ' + deep(levels) + b"}")
        try:
            read_answer(tmp_path / "answer.json", SCHEMA, 10_000)
            ends.add("read")
        except InvalidChildOutput:
            ends.add("refused")
    assert ends == {"read", "refused"}


@pytest.mark.timeout(60)
def test_a_million_faults_take_no_longer_than_one() -> None:
    with pytest.raises(InvalidChildOutput, match=r"\$\.words"):
        parse(b'{"number": 1, "words": [' + b"1," * 10_000_000 + b"1]}", SCHEMA)


@pytest.mark.parametrize(
    "leave",
    [
        lambda path, outside: path.symlink_to(outside),
        lambda path, outside: os.link(outside, path),
        lambda path, _outside: path.mkdir(),
        lambda path, _outside: os.mkfifo(path),
        lambda path, _outside: path.write_text('{"number": 1}'.ljust(LIMIT + 1)),
        lambda _path, _outside: None,
    ],
    ids=["symbolic link", "hard link", "folder", "pipe", "one byte too many", "nothing"],
)
def test_only_a_plain_file_of_bounded_size_is_read(tmp_path: Path, leave: Callable[[Path, Path], object]) -> None:
    """A pipe without a writer would hold its reader for ever."""
    outside = tmp_path / "outside"
    outside.write_text('{"number": 1}')
    leave(tmp_path / "answer.json", outside)
    with pytest.raises(InvalidChildOutput, match=r"answer\.json"):
        read_answer(tmp_path / "answer.json", SCHEMA, LIMIT)


def test_a_file_as_large_as_its_limit_is_read(tmp_path: Path) -> None:
    (tmp_path / "answer.json").write_text(json.dumps({"number": 1}).ljust(LIMIT))
    assert read_answer(tmp_path / "answer.json", SCHEMA, LIMIT) == {"number": 1}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb\tc\0", "a�b�c�"),
        ("\u202egpj.exe \u2066x\u2069 \u200bzero\ufeff", "�gpj.exe �x� �zero�"),
        ("\ud800", "�"),
        ("é ≤ 0.5 – “mel” 黑色素瘤", "é ≤ 0.5 – “mel” 黑色素瘤"),
        ("x" * 9000, "x" * TEXT_LENGTH),
        ("\u0958" * 9000, "\u0915\u093c" * (TEXT_LENGTH // 2)),
    ],
)
def test_a_text_is_plain_and_fits_a_page(text: str, shown: str) -> None:
    """The last one takes two letters for one when it is written in the usual form."""
    assert plain(text) == shown
