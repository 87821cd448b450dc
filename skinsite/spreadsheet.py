"""The only writer of CSV: cells that a spreadsheet would run as formulas are defused."""

import csv
from collections.abc import Iterable, Iterator
from typing import Any

MARK = "\ufeff"
"""Without it, spreadsheets read UTF-8 as something older."""

DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n")


class _Echo:
    """A file that gives back what is written to it."""

    def write(self, text: str) -> str:
        return text


def cell(value: Any) -> Any:
    """Return a value as a cell: numbers stay numbers, and a text that begins like a formula gets a quote before it."""
    if value is None:
        return ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    text = str(value)
    return f"'{text}" if text.startswith(DANGEROUS) else text


def lines(rows: Iterable[Iterable[Any]]) -> Iterator[bytes]:
    """Yield the lines of a CSV file (RFC 4180, UTF-8 with a mark), row by row."""
    yield MARK.encode()
    yield from plain_lines(rows)


def plain_lines(rows: Iterable[Iterable[Any]]) -> Iterator[bytes]:
    """Yield the lines of a CSV file for programs: no mark, texts defused as everywhere."""
    writer = csv.writer(_Echo())  # noqa: TID251  (this is the writer that others must use)
    for row in rows:
        yield writer.writerow([cell(value) for value in row]).encode()
