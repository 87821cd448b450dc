"""A label table as rows of cells: any encoding, any separator, one label column or one column a class."""

import csv
import io
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from pydantic import BaseModel

MOST_ROWS = 200_000
MOST_COLUMNS = 300
CELL = 2000
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "image": ("image", "image_id", "isic_id", "image_name", "file", "filename", "file_name", "img", "name", "path"),
    "label": ("diagnosis", "dx", "label", "class", "target", "benign_malignant", "category"),
    "lesion": ("lesion_id", "lesion"),
    "patient": ("patient_id", "patient"),
    "age": ("age", "age_approx"),
    "sex": ("sex", "gender"),
    "site": ("site", "localization", "localisation", "anatom_site_general", "anatom_site_general_challenge"),
    "dx_type": ("dx_type", "diagnosis_confirm_type"),
    "skin_type": ("skin_type", "fitzpatrick_skin_type", "fitzpatrick"),
    "attribution": ("attribution",),
    "licence": ("licence", "license", "copyright_license"),
}
OF_CLASSES = "classes"
OF_LABELS = ("label", OF_CLASSES, "levels")
"""Three forms of a label; a table has one of them."""


@dataclass(frozen=True)
class Refused:
    """A row that was left out; `row` counts as a spreadsheet does, the header is row 1; None for a file without row."""

    row: int | None
    file: str
    reason: str


@dataclass(frozen=True)
class Column:
    """A column with some of its values, for the page on which a person maps them."""

    name: str
    samples: list[str]


Columns = dict[str, str | list[str]]
"""{kind: the name of its column, or those of several}."""


class ColumnMapping(BaseModel):
    """Which column is which (`image`, `label`, `lesion`, …) and what labels mean ({label: code})."""

    columns: Columns = {}
    labels: dict[str, str] = {}


@dataclass(frozen=True)
class Table:
    """A text read as rows of cells, all as long as the header."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: tuple[int, ...]
    refused: tuple[Refused, ...]


class Unreadable(ValueError):
    """The text is no table; the message is a sentence for a person."""


def parse(content: bytes) -> Table:
    """Read a table of comma, semicolon, tab or bar separated values. Raises Unreadable."""
    text = _decoded(content)
    if "\x00" in text:
        raise Unreadable("The label table is no text: export it as CSV in UTF-8.")
    lines = text.splitlines()
    if not lines or not lines[0].strip():
        raise Unreadable("The label table is empty: it needs a header and a row for each image.")
    separator = max(",;\t|", key=lambda sign: lines[0].count(sign))
    records = list(_records(text, separator))
    if isinstance(records[0], str):
        raise Unreadable("The header of the label table has a quotation mark that is not closed.")
    header = tuple(cell.strip().strip("\ufeff") for cell in records[0])
    if len(records) - 1 > MOST_ROWS or len(header) > MOST_COLUMNS:
        raise Unreadable(
            f"The label table has {len(records) - 1:,} rows and {len(header)} columns; "
            f"{MOST_ROWS:,} and {MOST_COLUMNS} are the limits."
        )
    return _shaped(header, records[1:])


def stem(name: str) -> str:
    """The part of a file's name that identifies a picture: no folder, no known ending, no case."""
    base = name.replace("\\", "/").rpartition("/")[2].strip().lower()
    return re.sub(r"\.(jpe?g|png|tiff?|webp|bmp|gif)$", "", base)


def column(table: Table, name: str) -> list[str]:
    """Return the cells of a column, (rows)."""
    place = table.header.index(name)
    return [row[place] for row in table.rows]


def marked(value: str) -> float | None:
    """Return the cell of a class's own column, 0 to 1, or None where it is something else."""
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) and 0 <= number <= 1 else None


def _decoded(content: bytes) -> str:
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if content.startswith(mark):
            return content.decode(encoding, errors="replace")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _records(text: str, separator: str) -> Iterator[list[str] | str]:
    """Yield rows of cells, and as text a line with a stray quote: it costs itself, not all that it would swallow."""
    lines = io.StringIO(text, newline="").readlines()
    place = width = 0
    while place < len(lines):
        start = place
        rest = (lines[number] for number in range(start, len(lines)))
        reader = csv.reader(rest, delimiter=separator, strict=True)
        try:
            for record in reader:
                width = width or len(record)
                if start + reader.line_num - place > 1 and len(record) != width:
                    raise csv.Error("cells of the next lines were swallowed")
                yield record
                place = start + reader.line_num
        except csv.Error:
            yield lines[place].strip()
            place += 1


def _shaped(header: tuple[str, ...], records: Iterable[list[str] | str]) -> Table:
    doubled = sorted({name for name in header if name and header.count(name) > 1})
    if doubled:
        raise Unreadable(f"The label table has two columns named {doubled[0]!r}: rename one of them.")
    of_image = next((place for place, name in enumerate(header) if name.lower() in COLUMNS["image"]), 0)
    rows, numbers, refused = [], [], []
    for number, record in enumerate(records, start=2):
        if isinstance(record, str):
            refused.append(Refused(number, record[:CELL], "a quotation mark is not closed, or stands inside a cell"))
            continue
        if not any(cell.strip() for cell in record):
            continue
        if len(record) != len(header):
            reason = f"the row has {len(record)} cells, the header {len(header)}"
            refused.append(Refused(number, "".join(record[of_image : of_image + 1]).strip()[:CELL], reason))
            continue
        rows.append(tuple(cell.strip()[:CELL] for cell in record))
        numbers.append(number)
    return Table(header, tuple(rows), tuple(numbers), tuple(refused))
