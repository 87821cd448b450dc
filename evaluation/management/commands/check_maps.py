"""One map check from a script, without workers."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from classifier.models import ModelRecord
from evaluation.models import DataSet, MapCheck
from evaluation.services.map_checks import start_map_check
from evaluation.services.map_measuring import run_map_check
from evaluation.services.map_page import rows_of
from skinsite.jobs import OPEN, State
from skinsite.refusal import Conflict, Refusal


class Command(BaseCommand):
    help = "Measure on a data set how far a model's heat maps can be trusted, in this process; prints the table."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("model", type=int, help="number of the model")
        parser.add_argument("dataset", type=int, help="number of the data set")
        parser.add_argument("--seed", type=int, default=0, help="draws pictures and lesions")

    def handle(self, *args: Any, **options: Any) -> None:
        data_set = DataSet.objects.filter(pk=options["dataset"]).first()
        model = ModelRecord.objects.filter(pk=options["model"]).first()
        if data_set is None or model is None:
            raise CommandError("There is no such data set." if data_set is None else "There is no such model.")
        try:
            check = start_map_check(owner=data_set.owner, data_set=data_set, model=model, seed=options["seed"])
        except (Conflict, Refusal) as reason:
            raise CommandError(str(reason)) from reason
        while (row := MapCheck.objects.get(pk=check.pk)).state in OPEN:
            run_map_check(check_id=row.pk, gives_way=False)
        if row.state != State.DONE:
            raise CommandError(f"{row.error_message} {row.error_hint}")
        for name, *cells in rows_of(row.document):
            self.stdout.write(f"{name:38}" + "".join(f"{cell:24}" for cell in cells))
        for sentence in row.document["sentences"]:
            self.stdout.write(sentence)
        self.stdout.write(f"map check {row.pk}: {row.busy_seconds:.0f} s, {row.get_absolute_url()}")
