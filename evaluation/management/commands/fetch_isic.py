"""Pictures with metadata and licence from the public ISIC Archive."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError

from evaluation.isic_archive.fetch import ArchiveError, Limits, Progress, fetch
from evaluation.models import DataSet
from evaluation.services.intake import create_from_folder, run_import
from skinsite.jobs import State


class Command(BaseCommand):
    help = "Fetch the images of QUERY from the ISIC Archive and import them; an interrupted run goes on."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("name", help="name of the data set")
        parser.add_argument("query", help="as in the archive's search; empty for all")
        parser.add_argument("--images", type=int, default=500, help="at most so many")
        parser.add_argument("--owner", default="admin", help="user name of the owner")

    def handle(self, *args: Any, **options: Any) -> None:
        owner = get_user_model().objects.filter(username=options["owner"]).first()
        if owner is None:
            raise CommandError(f"There is no user {options['owner']!r}: name one with --owner.")
        folder = Path(settings.SKINSITE_DATA, "isic", "".join(c if c.isalnum() else "_" for c in options["name"])[:80])
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        hosts = frozenset([urlsplit(settings.SKINSITE_ISIC_API).hostname or "", *settings.SKINSITE_ISIC_HOSTS])
        try:
            result = fetch(
                base=settings.SKINSITE_ISIC_API,
                query=options["query"],
                into=folder,
                hosts=hosts,
                limits=Limits(images=options["images"]),
                on_progress=self._say,
            )
        except ArchiveError as error:
            raise CommandError(f"{error} Run the command again to go on where it stopped.") from error
        for name, reason in result.failed.items():
            self.stderr.write(f"{name}: {reason}")
        data_set = create_from_folder(
            owner=owner, name=options["name"], folder=folder / "images", table=folder / "metadata.csv"
        )
        run_import(data_set_id=data_set.pk)
        data_set = DataSet.objects.get(pk=data_set.pk)
        if data_set.state != State.DONE:
            raise CommandError(f"{data_set.error_message} {data_set.error_hint}")
        licences = ", ".join(f"{licence} {count}" for licence, count in result.licences.items())
        self.stdout.write(f"data set {data_set.pk}: {data_set.summary['images']} images ({licences})")

    def _say(self, progress: Progress) -> bool:
        self.stderr.write(f"{progress.done} of {progress.total} images", ending="\r")
        return True
