"""Pictures with metadata and licence from the public ISIC Archive."""

from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError

from evaluation.models import DataSet
from evaluation.services.data_sets.importing import run_import
from evaluation.services.data_sets.isic_archive import create_from_archive
from skinsite.jobs import FINAL, State
from skinsite.refusal import Refusal


class Command(BaseCommand):
    help = "Fetch the images of QUERY from the ISIC Archive and import them; called again, a failed run goes on."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("name", help="name of the data set")
        parser.add_argument("query", help="as in the archive's search; empty for all")
        parser.add_argument("--images", type=int, default=500, help="at most so many")
        parser.add_argument("--owner", default="admin", help="user name of the owner")

    def handle(self, *args: Any, **options: Any) -> None:
        owner = get_user_model().objects.filter(username=options["owner"]).first()
        if owner is None:
            raise CommandError(f"There is no user {options['owner']!r}: name one with --owner.")
        data_set = self._begun(owner, options) or self._new(owner, options)
        while (row := DataSet.objects.get(pk=data_set.pk)).state not in FINAL:
            self.stderr.write(f"{row.decoded} of {row.total} images", ending="\r")
            run_import(data_set_id=row.pk)
        if row.state != State.DONE:
            raise CommandError(f"{row.error_message} {row.error_hint}")
        licences = ", ".join(row.summary["licences"]) or "no licence named"
        self.stdout.write(f"data set {row.pk}: {row.summary['images']} images ({licences})")

    def _begun(self, owner: Any, options: dict[str, Any]) -> DataSet | None:
        """The data set of an earlier call that did not reach its end."""
        wanted = {"query": options["query"].strip(), "images": options["images"]}
        rows = DataSet.objects.filter(owner=owner, name=options["name"], wanted=wanted).exclude(state=State.DONE)
        found: DataSet | None = rows.first()
        if found is not None and found.can_retry:
            DataSet.objects.filter(pk=found.pk).retry()
        return found

    def _new(self, owner: Any, options: dict[str, Any]) -> DataSet:
        try:
            return create_from_archive(
                owner=owner, name=options["name"], query=options["query"], images=options["images"]
            )
        except Refusal as refusal:
            raise CommandError(str(refusal)) from refusal
