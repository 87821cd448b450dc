"""A data set from the server's own disk."""

from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError

from evaluation.models import DataSet
from evaluation.services.data_sets.importing import create_from_folder, run_import
from skinsite.jobs import State
from skinsite.refusal import Refusal


class Command(BaseCommand):
    help = "Import NAME from --images DIR with --labels CSV; prints the data set's number."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("name")
        parser.add_argument("--images", type=Path, required=True, help="folder that holds the pictures, at any depth")
        parser.add_argument("--labels", type=Path, required=True, help="CSV with a column of names and one of labels")
        parser.add_argument("--masks", type=Path, help="folder of lesion masks, named as their pictures")
        parser.add_argument("--owner", default="admin", help="user name of the owner")
        parser.add_argument("--publish", action="store_true", help="every user may read it")

    def handle(self, *args: Any, **options: Any) -> None:
        owner = get_user_model().objects.filter(username=options["owner"]).first()
        if owner is None:
            raise CommandError(f"There is no user {options['owner']!r}: name one with --owner.")
        try:
            data_set = create_from_folder(
                owner=owner,
                name=options["name"],
                folder=options["images"],
                table=options["labels"],
                masks=options["masks"],
                published=options["publish"],
            )
        except Refusal as refusal:
            raise CommandError(str(refusal)) from refusal
        run_import(data_set_id=data_set.pk)
        data_set = DataSet.objects.get(pk=data_set.pk)
        for entry in data_set.refused[:20]:
            self.stderr.write(f"refused: row {entry['row']}, {entry['file']}: {entry['reason']}")
        if len(data_set.refused) > 20:
            self.stderr.write(f"… and {len(data_set.refused) - 20} more")
        for warning in data_set.warnings:
            self.stderr.write(f"note: {warning}")
        if data_set.state != State.DONE:
            raise CommandError(f"{data_set.error_message} {data_set.error_hint}")
        self.stdout.write(
            f"data set {data_set.pk}: {data_set.summary['images']} images, {data_set.summary['masks']} masks"
        )
