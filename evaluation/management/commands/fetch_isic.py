"""Pictures with metadata and licence from the public ISIC Archive."""

from typing import Any

from evaluation.management.job_command import JobCommand
from evaluation.models import DataSet
from evaluation.services.data_sets.importing import run_import
from evaluation.services.data_sets.isic_archive import create_from_archive
from skinsite.jobs import State


class Command(JobCommand):
    help = "Fetch the images of QUERY from the ISIC Archive and import them; called again, a failed run goes on."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("name", help="name of the data set")
        parser.add_argument("query", help="as in the archive's search; empty for all")
        parser.add_argument("--images", type=int, default=500, help="at most so many")
        parser.add_argument("--owner", default="admin", help="user name of the owner")

    def handle(self, *args: Any, **options: Any) -> None:
        owner = self.owner(options["owner"])
        wanted = {"name": options["name"], "query": options["query"], "images": options["images"]}
        data_set = self._begun(owner, options) or self.started(create_from_archive, owner=owner, **wanted)
        row = self.ran(data_set, lambda pk: run_import(data_set_id=pk))
        self.check_done(row)
        licences = ", ".join(row.document["licences"]) or "no licence named"
        self.stdout.write(f"data set {row.pk}: {row.document['images']} images ({licences})")

    def _begun(self, owner: Any, options: dict[str, Any]) -> DataSet | None:
        """The data set of an earlier call that did not reach its end."""
        wanted = {"query": options["query"].strip(), "images": options["images"]}
        rows = DataSet.objects.filter(owner=owner, name=options["name"], wanted=wanted).exclude(state=State.DONE)
        found: DataSet | None = rows.first()
        if found is not None and found.can_retry:
            found.reopen()
        return found
