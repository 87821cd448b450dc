"""What stands on the disk goes with its row: pictures, masks, uploads, what was fetched, and figures.

Loaded when Django is ready: whichever process deletes a row, its files go after the commit.
"""

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models.signals import post_delete
from django.dispatch import receiver

from evaluation.models import DataSet, Evaluation, LabelledImage

Figures = dict[str, dict[str, str]]
"""Names of stored files by kind and form."""


def delete_pictures(rows: Iterable[Any]) -> None:
    """Delete what lies in storage of images, stored or not: `pixels`, `thumbnail` and `mask`."""
    for image in rows:
        for file in filter(None, (image.pixels, image.thumbnail, getattr(image, "mask", ""))):
            default_storage.delete(str(file))


def delete_figures(figures: Figures) -> None:
    for files in figures.values():
        for name in files.values():
            default_storage.delete(name)


def fetched_folder(data_set: DataSet) -> Path:
    """Where the pictures of the ISIC Archive lie that were fetched for a data set."""
    return Path(settings.SKINSITE_DATA, "isic", str(data_set.pk))


@receiver(post_delete, sender=LabelledImage)
def _with_image(instance: LabelledImage, **kwargs: Any) -> None:
    transaction.on_commit(lambda: delete_pictures([instance]), robust=True)


@receiver(post_delete, sender=Evaluation)
def _with_evaluation(instance: Evaluation, **kwargs: Any) -> None:
    figures = instance.document.get("figures", {})
    transaction.on_commit(lambda: delete_figures(figures), robust=True)


@receiver(post_delete, sender=DataSet)
def _with_data_set(instance: DataSet, **kwargs: Any) -> None:
    paths = [settings.SKINSITE_DATA / name for name in (instance.archive, instance.table) if name]
    fetched = fetched_folder(instance) if instance.wanted else None

    def delete() -> None:
        for path in paths:
            path.unlink(missing_ok=True)
        if fetched:
            shutil.rmtree(fetched, ignore_errors=True)

    transaction.on_commit(delete, robust=True)
