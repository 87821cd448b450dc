"""The archive's JSON, checked by shape before anything in it is used."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from evaluation.isic_archive.types import ArchiveError

ISIC_ID = re.compile(r"ISIC_[0-9]{7}")
COLUMN = re.compile(r"[a-z][a-z0-9_]{0,63}")
LONGEST_TEXT = 10_000

Row = dict[str, str | int | float | bool | None]


@dataclass(frozen=True)
class Image:
    """One image: where its file is, and its row of metadata.csv."""

    isic_id: str
    url: str
    row: Row


@dataclass(frozen=True)
class Page:
    """One page of a listing; the archive gives `count` on the first page only."""

    count: int | None
    next: str | None
    images: tuple[Image, ...]


def page(answer: Any) -> Page:
    """Return an answer as a page. Raises ArchiveError when it has another shape."""
    count, following, results = (_get(answer, name) for name in ("count", "next", "results"))
    if not (count is None or (type(count) is int and count >= 0)):
        raise _unexpected("count", count)
    if not isinstance(results, list):
        raise _unexpected("results", results)
    return Page(count, None if following is None else _text("next", following), tuple(map(_image, results)))


def _image(result: Any) -> Image:
    isic_id = _text("isic_id", _get(result, "isic_id"))
    if not ISIC_ID.fullmatch(isic_id):
        raise _unexpected("isic_id", isic_id)
    row = _flattened(_get(result, "metadata")) | {
        "isic_id": isic_id,
        "attribution": _text("attribution", _get(result, "attribution")),
        "copyright_license": _text("copyright_license", _get(result, "copyright_license")),
    }
    return Image(isic_id, _text("url", _get(_get(_get(result, "files"), "full"), "url")), row)


def _flattened(metadata: Any) -> Row:
    """Return the groups of the metadata, clinical and acquisition, as one row; nested values are left out."""
    row: Row = {}
    for group in _mapping("metadata", metadata).values():
        for name, value in _mapping("metadata", group).items():
            if isinstance(value, str):
                value = _text(name, value)
            if COLUMN.fullmatch(name) and (value is None or isinstance(value, str | int | float)):
                row[name] = value
    return row


def _get(answer: Any, name: str) -> Any:
    mapping = _mapping(name, answer)
    if name not in mapping:
        raise _unexpected(name, None)
    return mapping[name]


def _mapping(name: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise _unexpected(name, value)
    return value


def _text(name: str, value: Any) -> str:
    """Return a text that UTF-8 can hold."""
    if not isinstance(value, str) or len(value) > LONGEST_TEXT:
        raise _unexpected(name, value)
    return value.encode(errors="replace").decode()


def _unexpected(name: str, value: Any) -> ArchiveError:
    return ArchiveError(
        "unexpected-answer", f"The archive answered {value!r:.80} where “{name}” belongs. Check its address."
    )
