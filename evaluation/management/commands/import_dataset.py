"""A data set from the server's own disk."""

from pathlib import Path
from typing import Any

from evaluation.management.job_command import JobCommand
from evaluation.services.data_sets.create import create_from_folder
from evaluation.services.data_sets.importing import run_import


class Command(JobCommand):
    help = "Import NAME from --images DIR with --labels CSV; prints the data set's number."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("name")
        parser.add_argument("--images", type=Path, required=True, help="folder that holds the pictures, at any depth")
        parser.add_argument("--labels", type=Path, required=True, help="CSV with a column of names and one of labels")
        parser.add_argument("--masks", type=Path, help="folder of lesion masks, named as their pictures")
        parser.add_argument("--owner", default="admin", help="user name of the owner")
        parser.add_argument("--publish", action="store_true", help="every user may read it")

    def handle(self, *args: Any, **options: Any) -> None:
        data_set = self.started(
            create_from_folder,
            owner=self.owner(options["owner"]),
            name=options["name"],
            folder=options["images"],
            table=options["labels"],
            masks=options["masks"],
            published=options["publish"],
        )
        data_set = self.ran(data_set, lambda pk: run_import(data_set_id=pk))
        for entry in data_set.refused[:20]:
            self.stderr.write(f"refused: row {entry['row']}, {entry['file']}: {entry['reason']}")
        if len(data_set.refused) > 20:
            self.stderr.write(f"… and {len(data_set.refused) - 20} more")
        for warning in data_set.warnings:
            self.stderr.write(f"note: {warning}")
        self.check_done(data_set)
        self.stdout.write(f"data set {data_set.pk}: {data_set.result.images} images, {data_set.result.masks} masks")
