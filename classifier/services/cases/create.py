"""Cases: from files to rows, and out again."""

import threading
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import IO, Any

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models.signals import post_delete
from django.dispatch import receiver

from classifier.inference.input import images
from classifier.models import Case, CaseImage, ModelRecord, Prediction
from classifier.services.predictions.waiting import open_work
from skinsite.jobs.send import send_on_commit
from skinsite.refusal import Problem, Refusal

SCREEN_SIDE = 1600
THUMBNAIL_SIDE = 320
_one_at_a_time = threading.Lock()


@dataclass(frozen=True)
class Upload:
    """One file of a submission: its name as the person sent it, and its content."""

    name: str
    file: IO[bytes]


@dataclass(frozen=True)
class CaseDetails:
    """What a person may tell about a lesion; everything may be missing."""

    title: str = ""
    age: float | None = None
    sex: str = ""
    site: str = ""
    reference: str = ""
    note: str = ""


def create_case(
    *, owner: Any, uploads: Sequence[Upload], models: Sequence[ModelRecord], details: CaseDetails = CaseDetails()
) -> Case:
    """Make a case of the good files, with one queued prediction for each image and model; sent after the commit.

    Files that are no usable picture are named in `Case.refused`. Raises Refusal when no good one is left or a limit
    is passed; nothing is written then.
    """
    _check_limits(owner, uploads, models)
    pictures, refused = _decode(uploads)
    if not pictures:
        raise Refusal(*(Problem("images", f"{entry['file']}: {entry['reason']}") for entry in refused))
    try:
        with transaction.atomic():
            case = Case.objects.create(owner=owner, refused=refused, **vars(details))
            rows = CaseImage.objects.bulk_create([_filled(picture, case) for picture in pictures])
            predict_images(images=rows, models=models)
    except BaseException:
        _delete_files(pictures)
        raise
    return case


def predict_again(*, case: Case, models: Sequence[ModelRecord]) -> int:
    """Queue the predictions that the case does not have yet by these models; return their number."""
    pictures = list(case.images.all())
    _check_quota(case.owner, len(pictures) * len(models))
    with transaction.atomic():
        return sum(
            predict_images(images=[picture for picture in pictures if not _has(picture, model)], models=[model])
            for model in models
        )


def predict_images(*, images: Sequence[CaseImage], models: Sequence[ModelRecord]) -> int:
    """Write one queued prediction for each image and model, and send them after the commit."""
    total = 0
    for model in models:
        rows = Prediction.objects.bulk_create([Prediction(image=image, model=model) for image in images])
        send_on_commit(*rows)
        total += len(rows)
    return total


def delete_cases(cases: Iterable[Case]) -> int:
    """Delete cases with everything that hangs on them; their files go after the commit."""
    with transaction.atomic():
        pks = [case.pk for case in cases]
        Case.objects.filter(pk__in=pks).delete()
    return len(pks)


@receiver(post_delete, sender=CaseImage)
def _delete_files_with_row(instance: CaseImage, **kwargs: Any) -> None:
    transaction.on_commit(lambda: _delete_files([instance]), robust=True)


def _has(image: CaseImage, model: ModelRecord) -> bool:
    return Prediction.objects.filter(image=image, model=model).exists()


def _check_limits(owner: Any, uploads: Sequence[Upload], models: Sequence[ModelRecord]) -> None:
    problems = []
    if not uploads:
        problems.append(Problem("images", "A case needs at least one image: choose a JPEG, PNG, WebP or TIFF file."))
    if len(uploads) > settings.IMAGES_A_CASE:
        problems.append(
            Problem("images", f"{len(uploads)} images are above the limit of {settings.IMAGES_A_CASE} a case.")
        )
    if not models:
        problems.append(Problem("models", "Choose at least one model."))
    if len(models) > settings.MODELS_A_CASE:
        problems.append(
            Problem("models", f"{len(models)} models are above the limit of {settings.MODELS_A_CASE} a case.")
        )
    if problems:
        raise Refusal(*problems)
    _check_quota(owner, len(uploads) * len(models))


def _check_quota(owner: Any, more: int) -> None:
    waiting = open_work(owner)
    if waiting + more > settings.QUEUED_PREDICTIONS_A_USER:
        limit = settings.QUEUED_PREDICTIONS_A_USER
        message = f"{waiting} of your predictions are waiting already; with {more} more the limit of {limit} is passed."
        raise Refusal(Problem("images", message))


def _decode(uploads: Sequence[Upload]) -> tuple[list[CaseImage], list[dict[str, str]]]:
    """Decode one file at a time in this process, so that many people at once do not fill the memory."""
    good: list[CaseImage] = []
    refused = []
    for upload in uploads:
        try:
            with _one_at_a_time:
                good.append(_stored(upload, images.decode(upload.file), position=len(good)))
        except images.ImageRefused as reason:
            refused.append({"file": upload.name, "reason": str(reason)})
        except BaseException:
            _delete_files(good)
            raise
    return good, refused


def _stored(upload: Upload, picture: images.Picture, *, position: int) -> CaseImage:
    """Write the three renditions under a name of our own; the row is saved later."""
    height, width = picture.pixels.shape[:2]
    folder = f"cases/{uuid.uuid4().hex}"
    renditions = {
        "pixels": ("pixels.png", images.encode_png(picture.pixels)),
        "screen": ("screen.webp", images.thumbnail(picture.pixels, SCREEN_SIDE)),
        "thumbnail": ("thumbnail.webp", images.thumbnail(picture.pixels, THUMBNAIL_SIDE)),
    }
    names = {
        field: default_storage.save(f"{folder}/{name}", ContentFile(content))
        for field, (name, content) in renditions.items()
    }
    return CaseImage(
        position=position,
        name=upload.name[-255:],
        sha256=picture.sha256,
        width=width,
        height=height,
        changes=list(picture.changes),
        **names,
    )


def _filled(image: CaseImage, case: Case) -> CaseImage:
    image.case = case
    return image


def _delete_files(rows: Iterable[CaseImage]) -> None:
    for row in rows:
        for file in filter(None, (row.pixels, row.screen, row.thumbnail)):
            default_storage.delete(str(file))
