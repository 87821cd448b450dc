"""The rows of a label table as labelled pictures, and a reason for each that is left out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from classifier.inference.input.clinical import canonical_site
from evaluation.intake.guess_columns import described, guess
from evaluation.intake.table import (
    OF_CLASSES,
    OF_LABELS,
    Column,
    ColumnMapping,
    Columns,
    Refused,
    Table,
    column,
    marked,
    stem,
)
from evaluation.intake.vocabulary import Label, meanings

SEXES = {"f": "female", "m": "male", "female": "female", "male": "male", "w": "female"}
UNKNOWN_WORDS = ("", "unknown", "nan", "na", "n/a", "none", "null", "-", "?")


@dataclass(frozen=True)
class Row:
    """One labelled picture. Unknown is empty or None."""

    row: int | None
    image: str
    label: Label
    lesion: str = ""
    patient: str = ""
    age: float | None = None
    sex: str = ""
    site: str = ""
    dx_type: str = ""
    skin_type: str = ""
    attribution: str = ""
    licence: str = ""


@dataclass(frozen=True)
class Reading:
    """Rows that can be used, the refused ones, and remarks for the owner."""

    rows: list[Row]
    refused: list[Refused]
    warnings: list[str] = field(default_factory=list)
    labels: dict[str, str | None] = field(default_factory=dict)


class NeedsMapping(ValueError):
    """Nobody can tell which column is which; `columns` with samples and a `guess` help a person to say it."""

    def __init__(self, message: str, columns: list[Column], guess: Columns) -> None:
        super().__init__(message)
        self.columns, self.guess = columns, guess


def read(table: Table, mapping: ColumnMapping) -> Reading:
    """Return the rows of a table by its guessed columns, or by the mapping.

    A column that is told comes before a guessed one, an empty name sets the guess aside.
    Raises NeedsMapping where the picture's or the label's column cannot be told.
    """
    guessed = guess(table)
    columns = _merged(guessed, mapping.columns)
    labelled = columns.get("label") or columns.get(OF_CLASSES) or columns.get("levels")
    if not columns.get("image") or not labelled:
        missing = "picture's name" if not columns.get("image") else "label"
        message = f"No column of the label table is clearly the {missing}: say which one it is."
        raise NeedsMapping(message, described(table), guessed)
    unknown = [name for name in _named(columns) if name not in table.header]
    if unknown:
        message = f"The label table has no column named {', '.join(map(repr, unknown))}."
        raise NeedsMapping(message, described(table), guessed)
    return _rows(table, columns, mapping.labels)


def _merged(guessed: Columns, told: Columns) -> Columns:
    right = {kind: name for kind, name in told.items() if isinstance(name, list if kind in OF_LABELS[1:] else str)}
    other = OF_LABELS if any(right.get(kind) for kind in OF_LABELS) else ()
    return {kind: name for kind, name in guessed.items() if kind not in other} | right


def _named(columns: Columns) -> list[str]:
    names: list[str] = []
    for value in columns.values():
        names += value if isinstance(value, list) else [value]
    return [name for name in names if name]


def _rows(table: Table, columns: Columns, told: Mapping[str, str]) -> Reading:
    words = _words(table, columns)
    known = meanings((word for word in words if isinstance(word, str)), told)
    rows: list[Row] = []
    refused = list(table.refused)
    place = {kind: table.header.index(name) for kind, name in columns.items() if isinstance(name, str) and name}
    for number, record, word in zip(table.numbers, table.rows, words, strict=True):
        cells = {kind: record[index] for kind, index in place.items()}
        try:
            rows.append(_row(number, cells, word, known))
        except ValueError as reason:
            refused.append(Refused(number, cells["image"], str(reason)))
    rows, repeated = _without_repeats(rows)
    labels = {word: label.code if label else None for word, label in known.items()}
    return Reading(rows, sorted(refused + repeated, key=lambda entry: entry.row or 0), _warnings(rows), labels)


def _words(table: Table, columns: Columns) -> list[str | ValueError]:
    """Return each row's label, or why it has none."""
    if classes := columns.get(OF_CLASSES):
        places = [table.header.index(name) for name in classes]
        return [_hot(record, places, classes) for record in table.rows]
    if columns.get("label"):
        return list(column(table, str(columns["label"])))
    places = [table.header.index(name) for name in columns["levels"]]
    return [next((record[index] for index in places if record[index]), "") for record in table.rows]


def _hot(record: Sequence[str], places: Sequence[int], classes: Sequence[str]) -> str | ValueError:
    values = [marked(record[index]) for index in places]
    if None in values:
        bad = next(record[index] for index, value in zip(places, values, strict=True) if value is None)
        return ValueError(f"a class column holds {bad[:40]!r}; 0 or 1 was expected")
    hot = [name for name, value in zip(classes, values, strict=True) if value is not None and value > 0.5]
    if len(hot) != 1:
        return ValueError(f"{len(hot)} classes are marked; exactly one was expected")
    return hot[0]


def _row(number: int, cells: Mapping[str, str], word: str | ValueError, known: Mapping[str, Label | None]) -> Row:
    """Build a row. Raises ValueError with the reason."""
    if not cells["image"]:
        raise ValueError("the row names no image")
    if isinstance(word, ValueError):
        raise word
    if word.lower() in UNKNOWN_WORDS:
        raise ValueError("the row has no label")
    label = known.get(word)
    if label is None:
        raise ValueError(f"the label {word[:60]!r} is not known; map it to a code on the data set's page")
    return Row(
        row=number,
        image=cells["image"],
        label=label,
        lesion=_known(cells.get("lesion", ""))[:100],
        patient=_known(cells.get("patient", ""))[:100],
        age=_age(cells.get("age", "")),
        sex=_sex(cells.get("sex", "")),
        site=_site(cells.get("site", "")),
        dx_type=_known(cells.get("dx_type", ""))[:60].lower(),
        skin_type=_skin_type(cells.get("skin_type", "")),
        attribution=cells.get("attribution", "")[:300],
        licence=cells.get("licence", "")[:100],
    )


def _known(value: str) -> str:
    return "" if value.lower() in UNKNOWN_WORDS else value


def _age(value: str) -> float | None:
    if not _known(value):
        return None
    try:
        age = float(value.replace("+", "").replace(",", "."))
    except ValueError:
        raise ValueError(f"the age {value[:20]!r} is no number") from None
    if not 0 <= age <= 120:
        raise ValueError(f"the age {value[:20]} is not between 0 and 120 years")
    return age


def _sex(value: str) -> str:
    if not _known(value):
        return ""
    if value.lower() not in SEXES:
        raise ValueError(f"the sex {value[:20]!r} is not female or male; leave it empty if it is unknown")
    return SEXES[value.lower()]


def _site(value: str) -> str:
    try:
        return canonical_site(value) if _known(value) else ""
    except ValueError as error:
        raise ValueError(f"the site {value[:40]!r} is not one of the known words") from error


def _skin_type(value: str) -> str:
    if not _known(value):
        return ""
    roman = {str(place): name for place, name in enumerate(("I", "II", "III", "IV", "V", "VI"), start=1)}
    word = roman.get(value.removesuffix(".0"), value.upper())
    if word not in roman.values():
        raise ValueError(f"the skin type {value[:20]!r} is not I to VI")
    return word


def _without_repeats(rows: Iterable[Row]) -> tuple[list[Row], list[Refused]]:
    """A repeated row with the same label is refused and its picture stays; with another label both are refused."""
    by_image: dict[str, list[Row]] = {}
    for row in rows:
        by_image.setdefault(stem(row.image), []).append(row)
    by_image = {key: part for same in by_image.values() for key, part in _by_folder(same).items()}
    kept, refused = [], []
    for same in by_image.values():
        first = same[0]
        codes = sorted({row.label.code for row in same})
        if len(codes) > 1:
            reason = f"the image is labelled {' and '.join(codes)} in rows {', '.join(str(row.row) for row in same)}"
            refused += [Refused(row.row, row.image, reason) for row in same]
            continue
        kept.append(first)
        reason = f"the image stands in row {first.row} already, with the same label"
        refused += [Refused(row.row, row.image, reason) for row in same[1:]]
    return kept, refused


def _by_folder(same: Sequence[Row]) -> dict[str, list[Row]]:
    """Rows of one name by their folders: two pictures of one name are told apart where all rows name their folder."""
    paths = [row.image.replace("\\", "/").lower() for row in same]
    if not all("/" in path for path in paths):
        return {stem(paths[0]): list(same)}
    found: dict[str, list[Row]] = {}
    for path, row in zip(paths, same, strict=True):
        found.setdefault(f"{path.rpartition('/')[0]}/{stem(path)}", []).append(row)
    return found


def _warnings(rows: Sequence[Row]) -> list[str]:
    found = []
    of_lesion: dict[str, set[str]] = {}
    for row in rows:
        if row.lesion:
            of_lesion.setdefault(row.lesion, set()).add(row.label.code)
    mixed = [lesion for lesion, codes in of_lesion.items() if len(codes) > 1]
    if mixed:
        found.append(f"{len(mixed)} lesions have images with different labels, for example {mixed[0]}.")
    if rows and not any(row.lesion or row.patient for row in rows):
        found.append(
            "No lesion is named: each image counts as a lesion of its own, so that intervals are too narrow if one "
            "lesion was photographed several times."
        )
    patients: dict[str, set[str]] = {}
    for row in rows:
        if row.lesion and row.patient:
            patients.setdefault(row.lesion, set()).add(row.patient)
    if several := [lesion for lesion, people in patients.items() if len(people) > 1]:
        found.append(f"{len(several)} lesions belong to more than one patient, for example {several[0]}.")
    return found
