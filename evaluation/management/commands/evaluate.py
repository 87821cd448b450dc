"""One evaluation from a script, without workers."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from classifier.models import ModelRecord
from evaluation.models import DataSet, Evaluation
from evaluation.models.evaluation import Stage
from evaluation.services.evaluations.run import run_evaluation, start_evaluation
from evaluation.services.evaluations.score import run_scoring
from skinsite.jobs import State
from skinsite.refusal import Refusal


class Command(BaseCommand):
    help = "Evaluate a model on a data set in this process; prints the evaluation's number."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("dataset", type=int, help="number of the data set")
        parser.add_argument("model", type=int, help="number of the model")

    def handle(self, *args: Any, **options: Any) -> None:
        data_set = DataSet.objects.filter(pk=options["dataset"]).first()
        model = ModelRecord.objects.filter(pk=options["model"]).first()
        if data_set is None or model is None:
            raise CommandError("There is no such data set." if data_set is None else "There is no such model.")
        try:
            evaluation = start_evaluation(owner=data_set.owner, data_set=data_set, model=model)
        except Refusal as refusal:
            raise CommandError(str(refusal)) from refusal
        while (row := Evaluation.objects.get(pk=evaluation.pk)).state in (State.QUEUED, State.RUNNING):
            if row.stage == Stage.SCORING:
                run_scoring(evaluation_id=row.pk)
            else:
                run_evaluation(evaluation_id=row.pk, gives_way=False)
            self.stderr.write(f"{row.done} of {row.total} images")
        if row.state != State.DONE:
            raise CommandError(f"{row.error_message} {row.error_hint}")
        balanced = row.document["textbook"]["balanced_accuracy"]["value"]
        self.stdout.write(
            f"evaluation {row.pk}: balanced accuracy {balanced}, {row.failed_images.count()} failed images"
        )
