"""One setting check from a script, without workers."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from classifier.models import ModelRecord
from evaluation.models import DataSet, SettingCheck
from evaluation.services.setting_checks import start_setting_check
from evaluation.services.setting_search import run_setting_check
from skinsite.jobs import OPEN, State
from skinsite.refusal import Conflict, Refusal


class Command(BaseCommand):
    help = "Search on labelled images what a model's file cannot say, in this process; prints what is confirmed."

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
            check = start_setting_check(owner=data_set.owner, data_set=data_set, model=model, seed=options["seed"])
        except (Conflict, Refusal) as reason:
            raise CommandError(str(reason)) from reason
        while (row := SettingCheck.objects.get(pk=check.pk)).state in OPEN:
            run_setting_check(check_id=row.pk, gives_way=False)
        if row.state != State.DONE:
            raise CommandError(f"{row.error_message} {row.error_hint}")
        for sentence in row.document["sentences"]:
            self.stdout.write(sentence)
        self.stdout.write(f"setting check {row.pk}: {row.done} answers, {row.get_absolute_url()}")
