"""Data sets: what was uploaded is kept under a name of our own, and its import is due."""

import os
import uuid
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.db import transaction

from classifier.services.models.uploads import CHUNK_BYTES
from evaluation.intake.table import ColumnMapping
from evaluation.models import DataSet
from evaluation.models.data_set import LONGEST_NAME
from skinsite.jobs import State, actions
from skinsite.jobs.send import send_on_commit
from skinsite.jobs.turns import Fields
from skinsite.refusal import Conflict, Problem, Refusal


def create_data_set(
    *, owner: Any, name: str, archive: IO[bytes], table: IO[bytes] | None = None, published: bool = False
) -> DataSet:
    """Keep the upload and queue its import. Raises Refusal for a missing name and files above their limits."""
    name = _named(name)
    kept: list[Path] = []
    try:
        kept.append(_keep(archive, "archive", settings.ARCHIVE_BYTES))
        if table is not None:
            kept.append(_keep(table, "labels", settings.TABLE_BYTES))
        data_set = DataSet(
            owner=owner,
            name=name,
            published=published,
            archive=_relative(kept[0]),
            table=_relative(kept[1]) if table is not None else "",
        )
        actions.start(data_set)
    except BaseException:
        for path in kept:
            path.unlink(missing_ok=True)
        raise
    return data_set


def create_from_folder(
    *, owner: Any, name: str, folder: Path, table: Path, masks: Path | None = None, **fields: Any
) -> DataSet:
    """Make a data set from the server's own disk; the caller runs its import or sends it. Raises Refusal."""
    name = _named(name)
    if not folder.is_dir():
        raise Refusal(Problem("images", f"{folder} is no folder."))
    if not table.is_file():
        raise Refusal(Problem("labels", f"{table} is no file."))
    if masks is not None and not masks.is_dir():
        raise Refusal(Problem("masks", f"{masks} is no folder."))
    with table.open("rb") as file:
        kept = _keep(file, "labels", settings.TABLE_BYTES)
    paths = {"folder": str(folder.resolve()), "masks": str(masks.resolve()) if masks else "", "table": _relative(kept)}
    return DataSet.objects.create(owner=owner, name=name, **paths, **fields)


def remap_data_set(*, data_set: DataSet, mapping: ColumnMapping) -> None:
    """Import the same upload again with a corrected mapping; earlier images, answers and figures go.

    Raises Conflict while an import runs.
    """
    if data_set.state in (State.QUEUED, State.RUNNING):
        raise Conflict(f"This data set is {data_set.state}: correct the mapping when its import has ended.")
    if not (data_set.archive or data_set.folder):
        raise Conflict("The upload of this data set was not kept: upload it again.")
    labels = {word: code.strip().lower() for word, code in mapping.labels.items()}
    clean = ColumnMapping(columns=mapping.columns, labels=labels).model_dump()
    emptied: Fields = {"labels": {}, "words": {}, "refused": [], "warnings": [], "document": {}, "begun_at": None}
    with transaction.atomic():
        itself = DataSet.objects.filter(pk=data_set.pk)
        if not itself.retry(done=True):
            raise Conflict("This data set is being imported: correct the mapping when that has ended.")
        data_set.evaluations.all().delete()
        data_set.comparisons.all().delete()
        data_set.images.all().delete()
        itself.update(mapping=clean, done=0, total=0, **emptied)
        send_on_commit(data_set)


def _named(name: str) -> str:
    name = name.strip()
    if not 1 <= len(name) <= LONGEST_NAME:
        raise Refusal(Problem("name", f"Give the data set a name of 1 to {LONGEST_NAME} characters."))
    return name


def _keep(file: IO[bytes], field: str, limit: int) -> Path:
    """Stream an upload into a private file of our own name. Raises Refusal above the limit and for an empty file."""
    folder = settings.SKINSITE_DATA / "datasets"
    folder.mkdir(exist_ok=True, mode=0o700)
    path = folder / uuid.uuid4().hex
    size = 0
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as kept:
            while chunk := file.read(CHUNK_BYTES):
                size += len(chunk)
                if size > limit:
                    raise Refusal(Problem(field, f"The file is above the limit of {limit / 1e6:,.0f} MB."))
                kept.write(chunk)
        if not size:
            raise Refusal(Problem(field, "The file is empty: choose it again."))
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path


def _relative(path: Path) -> str:
    return str(path.relative_to(settings.SKINSITE_DATA))
