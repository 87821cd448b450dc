"""Data sets: from an archive and a label table to rows."""

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from evaluation.intake import label_rows
from evaluation.intake.guess_columns import described, guess
from evaluation.intake.label_rows import NeedsMapping, Row
from evaluation.intake.table import ColumnMapping, Refused, Unreadable, parse, stem
from evaluation.intake.vocabulary import meanings, understand
from evaluation.models import DataSet
from evaluation.services.data_sets import decoding, isic_archive, masks
from evaluation.services.data_sets import summary as data_set_summary
from evaluation.services.files import delete_pictures
from skinsite.jobs import Failure
from skinsite.jobs.turns import Fields, TimeSlice, run_slice

NEEDS_MAPPING = "needs-mapping"
CHUNK_PICTURES = 96
CHUNK_PACKED = 60 * 1000**2
AT_ONCE = 2
Save = Callable[..., None]
"""Writes fields of the data set, as long as it is this worker's."""
SAFE = re.compile(r"[^A-Za-z0-9_.-]+")


def run_import(*, data_set_id: int) -> None:
    run_slice(Importing, data_set_id, alone=True)


class Importing(TimeSlice):
    """Fetching ends after some seconds, for others on the light queue; decoding goes on where a lost worker stopped."""

    kind = DataSet
    job: DataSet

    def run(self) -> Fields:
        self.begin()
        if self.job.wanted and not isic_archive.fetch_some(self.job, self.token):
            self.requeue()
        return _imported(self.job, self.save)


@dataclass(frozen=True)
class _Entry:
    """A picture of the source with its row; `name` is its alias in tables, unique in the set."""

    member: str
    size: int
    name: str
    row: Row


def _imported(data_set: DataSet, save: Save) -> Fields:
    source = decoding.Source.of(data_set)
    found = source.survey()
    members, of_pictures = masks.apart(found.pictures)
    found = replace(found, pictures=members)
    _note_refused(save, found.refused)
    if not found.pictures:
        raise _no_images(found.refused)
    reading, by_folder = _read_labels(data_set, found, save)
    entries, unmatched = _matched(found.pictures, reading, by_folder=by_folder)
    stored = set(data_set.images.values_list("name", flat=True))
    left = [entry for entry in entries if entry.name not in stored]
    save(total=len(entries), done=len(entries) - len(left))
    broken = _decode_all(data_set, save, source, left)
    unfit, resized = _masks(data_set, source, of_pictures)
    refused = [*found.refused, *reading.refused, *unmatched, *broken, *unfit]
    _note_refused(save, refused)
    if not data_set.images.exists():
        raise _no_images(refused)
    labels = {
        row.label.code: {"name": row.label.name, "malignant": row.label.malignant}
        for row in sorted(reading.rows, key=lambda row: row.label.code)
    }
    used = set(data_set.images.values_list("label", flat=True).distinct())
    summary, warnings = data_set_summary.summary(data_set)
    scaled = [f"{resized:,} masks had another size than their pictures and were scaled to it."] if resized else []
    return {
        "folder": data_set.folder,
        "table": data_set.table,
        "labels": {code: entry for code, entry in labels.items() if code in used},
        "words": reading.labels,
        "warnings": [*reading.warnings, *scaled, *warnings],
        "document": summary.to_json(),
    }


def _masks(data_set: DataSet, source: decoding.Source, of_pictures: dict[str, str]) -> tuple[list[Refused], int]:
    """Store the masks that lie beside the pictures, or in the folder that was named for them."""
    if data_set.masks:
        source = decoding.Source(None, Path(data_set.masks))
        of_pictures = masks.by_stem(source.survey().pictures)
    return masks.import_masks(data_set, source, of_pictures) if of_pictures else ([], 0)


def _note_refused(save: Save, refused: Sequence[Refused]) -> None:
    """Write them at once: an import that fails later has named them as well."""
    save(refused=[vars(entry) for entry in sorted(refused, key=lambda entry: entry.row or 0)])


def _no_images(refused: Sequence[Refused]) -> Failure:
    reasons = "; ".join(f"{entry.file or 'row ' + str(entry.row)}: {entry.reason}" for entry in refused[:3])
    return Failure(
        "no-images",
        f"Not one labelled picture was found. {reasons}",
        "Pack JPEG or PNG files with a label table or one folder per class, and upload them again.",
    )


def _read_labels(data_set: DataSet, found: decoding.Survey, save: Save) -> tuple[label_rows.Reading, bool]:
    """Read the table beside the archive, the best one inside it, or the names of the folders; True for the last.

    A text that is no label table, such as a licence, does not hide folders that are named by known classes.
    """
    mapping = ColumnMapping.model_validate(data_set.mapping)
    contents = [(settings.SKINSITE_DATA / data_set.table).read_bytes()] if data_set.table else found.tables
    last: Exception = Unreadable("There is no label table.")
    best: label_rows.Reading | None = None
    for content in contents:
        try:
            table = parse(content)
            reading = label_rows.read(table, mapping)
        except (NeedsMapping, Unreadable) as error:
            last = error if isinstance(error, NeedsMapping) or not isinstance(last, NeedsMapping) else last
            continue
        if best is None or len(reading.rows) > len(best.rows):
            best = reading
            save(columns=list(map(vars, described(table))), guess=guess(table))
    if best is not None:
        return best, False
    if not contents or (not data_set.table and any(map(understand, _folders(found.pictures)))):
        return _by_folder(found.pictures, mapping.labels), True
    if isinstance(last, NeedsMapping):
        save(columns=list(map(vars, last.columns)), guess=last.guess)
        hint = "Choose the columns on the data set's page; no second upload is needed."
        raise Failure(NEEDS_MAPPING, str(last), hint)
    raise Failure("unreadable-table", str(last), "Export the table as CSV in UTF-8 and upload it again.")


def _by_folder(members: Sequence[tuple[str, int]], meant: Mapping[str, str]) -> label_rows.Reading:
    """One folder per class: the innermost folder's name is the label."""
    words = _folders(members)
    if not any(words) or (len(set(words)) == 1 and understand(words[0]) is None and not meant):
        raise Failure(
            "no-labels",
            "The archive has neither a label table nor a folder for each class.",
            "Add a CSV with the columns image and diagnosis, or a folder for each class that has its name.",
        )
    known = meanings(words, meant)
    rows, refused = [], []
    for (name, _), word in zip(members, words, strict=True):
        label = known.get(word)
        if label is None:
            reason = f"the folder {word[:60]!r} is no known class" if word else "the picture lies in no folder"
            refused.append(Refused(None, name, reason))
        else:
            rows.append(Row(None, name, label))
    warning = "No lesion is named: each image counts as a lesion of its own."
    codes = {word: label.code if label else None for word, label in known.items()}
    return label_rows.Reading(rows, refused, [warning], codes)


def _folders(members: Sequence[tuple[str, int]]) -> list[str]:
    return [name.rpartition("/")[0].rpartition("/")[2] for name, _ in members]


def _matched(
    members: Sequence[tuple[str, int]], reading: label_rows.Reading, *, by_folder: bool
) -> tuple[list[_Entry], list[Refused]]:
    """Join rows and pictures by path or by name without folder and ending; name what has no partner."""
    by_path = {name.lower(): (name, size) for name, size in members}
    by_stem: dict[str, list[tuple[str, int]]] = {}
    for name, size in members:
        by_stem.setdefault(stem(name), []).append((name, size))
    entries: list[_Entry] = []
    refused: list[Refused] = []
    used: set[str] = set()
    aliases: set[str] = set()
    for row in reading.rows:
        key = row.image.replace("\\", "/").lower()
        same = [by_path[key]] if key in by_path else by_stem.get(stem(row.image), [])
        if len(same) != 1:
            what = f"{len(same)} pictures have this name" if same else "there is no picture of this name"
            refused.append(Refused(row.row, row.image, f"{what} among the uploaded files"))
            continue
        member, size = same[0]
        if member in used:
            refused.append(Refused(row.row, row.image, f"another row names the same picture, {member}"))
            continue
        used.add(member)
        entries.append(_Entry(member, size, _alias(row.image, aliases, by_folder=by_folder), row))
    if not by_folder:
        named = {stem(entry.file) for entry in (*reading.refused, *refused)}
        left = [name for name, _ in members if name not in used and stem(name) not in named]
        refused += [Refused(None, name, "the label table does not name it") for name in left]
    return entries, refused


def _alias(image: str, taken: set[str], *, by_folder: bool) -> str:
    """Return a name of [A-Za-z0-9_.-] that is unique in the set: what the owner wrote, as far as that is safe."""
    base = image.replace("\\", "/")
    name = base.rpartition("/")[2]
    plain = SAFE.sub("_", re.sub(r"(?i)\.(jpe?g|png|tiff?|webp|bmp|gif)$", "", name))[:180] or "image"
    if plain.lower() in taken and by_folder:
        plain = SAFE.sub("_", f"{base.rpartition('/')[0].rpartition('/')[2]}_{plain}")[:180]
    alias, number = plain, 2
    while alias.lower() in taken:
        alias, number = f"{plain}_{number}", number + 1
    taken.add(alias.lower())
    return alias


def _decode_all(data_set: DataSet, save: Save, source: decoding.Source, entries: Sequence[_Entry]) -> list[Refused]:
    """Decode in confined children, two at once; commit each chunk; return what is no usable picture."""
    refused: list[Refused] = []
    chunks = list(_chunks(entries))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        names = iter([entry.member for entry in chunk] for chunk in chunks)
        waiting = deque(pool.submit(decoding.decode, source, some) for some in islice(names, AT_ONCE))
        try:
            for chunk in chunks:
                answers = waiting.popleft().result()
                waiting.extend(pool.submit(decoding.decode, source, some) for some in islice(names, 1))
                pairs = list(zip(chunk, answers, strict=True))
                refused += [Refused(entry.row.row, entry.member, why) for entry, why in pairs if isinstance(why, str)]
                _commit(data_set, save, [pair for pair in pairs if not isinstance(pair[1], str)], len(chunk))
        except BaseException:
            _discard(waiting)
            raise
    return refused


def _discard(waiting: Iterable[Future[list[decoding.Stored | str]]]) -> None:
    """Nobody takes what is still being decoded: its files go."""
    for future in waiting:
        if not future.cancel() and future.exception() is None:
            decoding.discard(future.result())


def _commit(data_set: DataSet, save: Save, good: Sequence[tuple[_Entry, Any]], size: int) -> None:
    rows = [decoding.row(data_set, entry.name, entry.member, entry.row, picture) for entry, picture in good]
    try:
        with transaction.atomic():
            data_set.images.bulk_create(rows)
            save(done=data_set.done + size, attempts=1)
    except BaseException:
        delete_pictures(rows)
        raise


def _chunks(entries: Sequence[_Entry]) -> Iterator[list[_Entry]]:
    chunk: list[_Entry] = []
    for entry in entries:
        if chunk and (len(chunk) >= CHUNK_PICTURES or sum(one.size for one in chunk) + entry.size > CHUNK_PACKED):
            yield chunk
            chunk = []
        chunk.append(entry)
    if chunk:
        yield chunk
