"""Uploads of data sets for tests: zip archives in memory, and the import as a worker runs it."""

import io
import zipfile
from collections.abc import Mapping

from django.core.files.storage import default_storage

from evaluation.models import DataSet
from evaluation.services.data_sets.importing import create_data_set, run_import
from tests.factories import make_user


def zipped(members: Mapping[str, bytes | str]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def uploaded(archive: Mapping[str, bytes | str] | bytes, table: str | None = None) -> DataSet:
    content = archive if isinstance(archive, bytes) else zipped(archive)
    labels = io.BytesIO(table.encode()) if table is not None else None
    return create_data_set(owner=make_user(), name="Clinic A", archive=io.BytesIO(content), table=labels)


def imported(archive: Mapping[str, bytes | str] | bytes, table: str | None = None) -> DataSet:
    return ran(uploaded(archive, table))


def ran(data_set: DataSet) -> DataSet:
    run_import(data_set_id=data_set.pk)
    return DataSet.objects.get(pk=data_set.pk)


def stored_files() -> set[str]:
    return set(default_storage.listdir("datasets")[1]) if default_storage.exists("datasets") else set()
