"""Data sets from the ISIC Archive: fetched in turns on the light queue, then imported like a folder of the server."""

import time
import uuid
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from evaluation.isic_archive.fetch import fetch
from evaluation.isic_archive.types import ArchiveError
from evaluation.models import DataSet
from evaluation.services.files import fetched_folder
from skinsite.jobs import Failure, actions
from skinsite.refusal import Problem, Refusal

TURN_SECONDS = 20.0
RENEW_SECONDS = 2.0
MOST_IMAGES = 5000


def create_from_archive(*, owner: Any, name: str, query: str, images: int) -> DataSet:
    """Queue a data set of the images that a query of the archive finds. Raises Refusal for limits that are passed."""
    problems = []
    if not 1 <= len(name.strip()) <= 200:
        problems.append(Problem("name", "Give the data set a name of 1 to 200 characters."))
    if not 1 <= images <= MOST_IMAGES:
        problems.append(Problem("images", f"Ask for 1 to {MOST_IMAGES:,} images."))
    if problems:
        raise Refusal(*problems)
    data_set = DataSet(owner=owner, name=name.strip(), wanted={"query": query.strip(), "images": images}, total=images)
    actions.start(data_set)
    return data_set


def fetch_some(data_set: DataSet, token: uuid.UUID) -> bool:
    """Fetch for one turn; True once all wanted images are here. Raises Failure where the archive does not answer."""
    place = fetched_folder(data_set)
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    until, next_renewal = time.monotonic() + TURN_SECONDS, 0.0
    steps = fetch(
        base=settings.SKINSITE_ISIC_API,
        query=data_set.wanted["query"],
        into=place,
        hosts=frozenset([urlsplit(settings.SKINSITE_ISIC_API).hostname or "", *settings.SKINSITE_ISIC_HOSTS]),
        images=data_set.wanted["images"],
    )
    try:
        for done, total in steps:
            if (now := time.monotonic()) >= next_renewal:
                next_renewal = now + RENEW_SECONDS
                if not DataSet.objects.renew(data_set.pk, token, total=total, done=done):
                    return False
            if now >= until:
                return False
    except ArchiveError as error:
        raise Failure(error.code, str(error), "Try again: what was fetched is kept, and it goes on there.") from error
    data_set.folder = str(place / "images")
    data_set.table = str((place / "metadata.csv").relative_to(settings.SKINSITE_DATA))
    data_set.total = data_set.done = 0
    return True
