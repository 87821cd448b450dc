"""What the commands have in common that run one long check of a model on a data set, without workers."""

from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from classifier.models import ModelRecord
from evaluation.models import DataSet
from skinsite.jobs import OPEN, State
from skinsite.refusal import Conflict, Refusal


class CheckCommand(BaseCommand):
    """Takes a model's and a data set's number and a seed."""

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("model", type=int, help="number of the model")
        parser.add_argument("dataset", type=int, help="number of the data set")
        parser.add_argument("--seed", type=int, default=0, help="draws pictures and lesions")

    def checked(self, options: dict[str, Any], start: Callable[..., Any], run: Callable[..., None]) -> Any:
        """Start a check as the data set's owner and run it to its end. Raises CommandError where that is not done."""
        data_set = DataSet.objects.filter(pk=options["dataset"]).first()
        model = ModelRecord.objects.filter(pk=options["model"]).first()
        if data_set is None or model is None:
            raise CommandError("There is no such data set." if data_set is None else "There is no such model.")
        try:
            check = start(owner=data_set.owner, data_set=data_set, model=model, seed=options["seed"])
        except (Conflict, Refusal) as reason:
            raise CommandError(str(reason)) from reason
        while (row := type(check).objects.get(pk=check.pk)).state in OPEN:
            run(check_id=row.pk, gives_way=False)
        if row.state != State.DONE:
            raise CommandError(f"{row.error_message} {row.error_hint}")
        return row
