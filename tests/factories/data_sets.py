"""Data sets for tests: as zip archives that are imported, and as rows alone."""

import csv
import hashlib
import io
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone
from PIL import Image

from evaluation.models import DataSet, LabelledImage
from evaluation.services.data_sets.create import create_data_set
from evaluation.services.data_sets.importing import run_import
from skinsite.diagnoses import DIAGNOSES
from skinsite.jobs import State
from tests.factories.rows import SEVEN, make_user
from tests.pictures import picture


def seven_labels(count: int) -> list[str]:
    return [SEVEN[number // 2 % 7] for number in range(count)]


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


def labelled_zip(labels: list[str], *, per_lesion: int = 2, names: str = "img_{:03d}", seed: int = 0) -> bytes:
    """Return a zip of one small picture for each label, with a table that names lesions, ages and sexes."""
    file, table = io.BytesIO(), io.StringIO()
    rows = csv.writer(table)  # noqa: TID251
    rows.writerow(["image", "diagnosis", "lesion_id", "age", "sex"])
    with zipfile.ZipFile(file, "w") as archive:
        for number, label in enumerate(labels):
            name = names.format(number)
            archive.writestr(f"pictures/{name}.png", picture(seed + number, (64, 48), kind="PNG"))
            sex = "female" if number % 2 else "male"
            rows.writerow([name, label, f"{label}_{number // per_lesion}", 30 + number % 50, sex])
        archive.writestr("labels.csv", table.getvalue())
    return file.getvalue()


def import_data_set(labels: list[str], owner: Any = None, name: str = "Set", **options: Any) -> DataSet:
    """Import a real zip and return the finished data set."""
    archive = io.BytesIO(labelled_zip(labels, **options))
    data_set = create_data_set(owner=owner or make_user(), name=name, archive=archive)
    run_import(data_set_id=data_set.pk)
    data_set = DataSet.objects.get(pk=data_set.pk)
    assert data_set.state == State.DONE, data_set.error
    return data_set


def make_data_set(
    labels: Sequence[str],
    *,
    owner: Any = None,
    names: Sequence[str] = (),
    lesions: Sequence[str] = (),
    pixels: str = "set",
    pictures: bool = False,
    **fields: Any,
) -> DataSet:
    """Return an imported data set. Sets with the same word for `pixels` hold the same pictures."""
    counts = {code: {"images": list(labels).count(code), "lesions": list(labels).count(code)} for code in set(labels)}
    known = {
        code: {"name": code.title(), "malignant": DIAGNOSES[code].malignant if code in DIAGNOSES else False}
        for code in counts
    }
    fields = {"name": "Clinic A", "labels": known} | fields
    summary = {"images": len(labels), "lesions": len(set(lesions) or labels), "classes": counts}
    now = timezone.now()
    data_set = DataSet.objects.create(
        owner=owner or make_user(), state=State.DONE, finished_at=now, document=summary, **fields
    )
    LabelledImage.objects.bulk_create(
        LabelledImage(
            data_set=data_set,
            name=names[place] if names else f"image-{place:05}",
            file_name=f"{place}.jpg",
            label=label,
            lesion=lesions[place] if lesions else "",
            sex=("male", "female", "")[place % 3],
            age=float(place % 90),
            pixels=_stored(data_set, place, "png") if pictures else f"nothing/{place}.png",
            thumbnail=_stored(data_set, place, "webp") if pictures else f"nothing/{place}.webp",
            sha256=_hash(pixels, place),
            perceptual=_hash(pixels, place)[:16],
            width=8,
            height=8,
        )
        for place, label in enumerate(labels)
    )
    return data_set


def _hash(word: str, place: int) -> str:
    return hashlib.sha256(f"{word}-{place}".encode()).hexdigest()


def _stored(data_set: DataSet, place: int, form: str) -> str:
    file = io.BytesIO()
    Image.new("RGB", (8, 8), (place % 256, 60, 60)).save(file, form)
    return str(default_storage.save(f"datasets/made-{data_set.pk}-{place}.{form}", ContentFile(file.getvalue())))
