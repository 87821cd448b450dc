"""Children of an import that a file has taken over: `survey` looks into the archive, `decode` makes pixels.

Each runs in a real confined child. A decoder is honest until it comes to a picture that is called hostile.
"""

import functools
import json
import os
from collections.abc import Callable
from itertools import takewhile
from pathlib import Path
from typing import Any

from evaluation.intake import archive_child
from tests.sandbox import mischief

Deed = Callable[[Path, int], Any]
PIXELS = {"height": 8, "width": 8, "changes": []}


def decoder(deed: Deed) -> Callable[..., dict[str, Any]]:
    """A task in place of `decode`, which does the deed at the place of the hostile picture and nothing afterwards."""

    @functools.wraps(deed)
    def decode(names: list[str], folder: str, **source: Any) -> dict[str, Any]:
        honest = list(takewhile(lambda name: "hostile" not in name, names))
        answer = archive_child.decode(honest, folder, **source)
        if len(honest) < len(names):
            deed(Path(folder), len(honest))
        return answer

    return decode


def tell(folder: Path, place: int, pixels: bytes | None = bytes(8 * 8 * 3), **fact: Any) -> None:
    """Leave a line of facts, and pixels."""
    if pixels is not None:
        (folder / str(place)).write_bytes(pixels)
    with (folder / "facts").open("a") as facts:
        facts.write(json.dumps({"place": place, **fact}) + "\n")


@decoder
def decode_answer_of_two_gigabytes(folder: Path, place: int) -> None:
    tell(folder, place, **PIXELS)
    mischief.leave_answer("{}", size=2 * 1000**3)


@decoder
def decode_deep_answer(folder: Path, place: int) -> None:
    tell(folder, place, **PIXELS)
    mischief.leave_answer("[" * 1_000_000)


@decoder
def decode_linked_answer(folder: Path, place: int) -> None:
    tell(folder, place, **PIXELS)
    mischief.leave_hard_link()


@decoder
def decode_nan(folder: Path, place: int) -> None:
    tell(folder, place, **PIXELS | {"height": float("nan")})


@decoder
def decode_half_numbers(folder: Path, place: int) -> None:
    tell(folder, place, **PIXELS | {"height": 8.0, "width": 8.0})


@decoder
def decode_without_keys(folder: Path, place: int) -> None:
    tell(folder, place)


@decoder
def decode_another_place(folder: Path, place: int) -> None:
    tell(folder, place + 1, **PIXELS)


@decoder
def decode_deep_facts(folder: Path, _place: int) -> None:
    with (folder / "facts").open("a") as facts:
        facts.write("[" * 5000 + "\n")


@decoder
def decode_turned_reason(folder: Path, place: int) -> None:
    tell(folder, place, None, reason="see \u202egpj.exe\x1b[31m")


@decoder
def decode_linked_facts(folder: Path, place: int) -> None:
    tell(folder, place, **PIXELS)
    os.link(folder / "facts", folder / "other")


@decoder
def decode_facts_without_end(folder: Path, place: int) -> None:
    tell(folder, place, **PIXELS)
    with (folder / "facts").open("ab") as facts:
        while True:
            facts.write(b"." * 1024**2)


@decoder
def decode_rewritten_facts(folder: Path, _place: int) -> None:
    """What was said of the pictures before goes too."""
    (folder / "facts").write_text("nothing\n")


@decoder
def decode_linked_picture(folder: Path, place: int) -> None:
    tell(folder, place, **PIXELS)
    os.link(folder / str(place), folder / "other")


@decoder
def decode_no_picture(folder: Path, place: int) -> None:
    tell(folder, place, None, **PIXELS)


@decoder
def decode_folder_for_a_picture(folder: Path, place: int) -> None:
    tell(folder, place, None, **PIXELS)
    (folder / str(place)).mkdir()


@decoder
def decode_small_picture(folder: Path, place: int) -> None:
    tell(folder, place, bytes(8 * 8 * 3 - 1), **PIXELS)


@decoder
def decode_large_picture(folder: Path, place: int) -> None:
    tell(folder, place, bytes(8 * 8 * 3 + 1), **PIXELS)


@decoder
def decode_picture_without_end(folder: Path, place: int) -> None:
    tell(folder, place, **PIXELS | {"height": 100_000, "width": 100_000})


@decoder
def decode_folders_without_end(folder: Path, place: int) -> None:
    tell(folder, place, **PIXELS)
    os.chdir(folder)
    mischief.dig()


@decoder
def decode_crash(_folder: Path, _place: int) -> None:
    mischief.die()


def surveyed(**changes: Any) -> dict[str, Any]:
    return {"pictures": [["a.jpg", 1000]], "tables": [], "refused": []} | changes


def survey_two_gigabytes(**_request: Any) -> None:
    mischief.leave_answer(json.dumps(surveyed()), size=2 * 1000**3)


def survey_deep_answer(**_request: Any) -> None:
    mischief.leave_answer('{"pictures": ' + "[" * 1_000_000)


def survey_nan(**_request: Any) -> dict[str, Any]:
    return surveyed(pictures=[["a.jpg", float("nan")]])


def survey_half_numbers(**_request: Any) -> dict[str, Any]:
    return surveyed(pictures=[["a.jpg", 1.5]])


def survey_without_keys(**_request: Any) -> dict[str, Any]:
    return {"pictures": [["a.jpg", 1000]]}


def survey_turned_names(**_request: Any) -> dict[str, Any]:
    return surveyed(pictures=[["nv/\u202egpj.a", 1000]])


def survey_linked_answer(**_request: Any) -> None:
    mischief.leave_hard_link()


def survey_linked_table(folder: str, **_request: Any) -> dict[str, Any]:
    Path(folder, "other").write_text("image,diagnosis\na,nv\n")
    os.link(Path(folder, "other"), Path(folder, "table-0"))
    return surveyed(tables=["labels.csv"])


def survey_no_table(**_request: Any) -> dict[str, Any]:
    return surveyed(tables=["labels.csv"])


def survey_large_table(folder: str, **_request: Any) -> dict[str, Any]:
    with Path(folder, "table-0").open("wb") as file:
        file.truncate(archive_child.TABLE_BYTES + 1)
    return surveyed(tables=["labels.csv"])


def survey_tables_without_end(folder: str, **_request: Any) -> dict[str, Any]:
    """Each is within its limit, and no disk holds them: read one after the other they would fill the memory."""
    for number in range(1000):
        with Path(folder, f"table-{number}").open("wb") as file:
            file.truncate(archive_child.TABLE_BYTES)
    return surveyed(tables=["labels.csv"] * 1000)


def survey_crash(**_request: Any) -> None:
    mischief.die()


def survey_turned_problem(**_request: Any) -> dict[str, Any]:
    return {"problem": ["made-up", "see \u202egpj.exe\x1b[31m"]}


def survey_turned_reasons(**request: Any) -> dict[str, Any]:
    honest = archive_child.survey(**request)
    return honest | {"refused": [["x\u202e.zip", "see \u202egpj.exe\x1b[31m"]]}
