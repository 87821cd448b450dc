"""One evaluation from a script, without workers."""

from typing import Any

from evaluation.management.job_command import ModelCommand
from evaluation.models import Evaluation
from evaluation.models.evaluation import Stage
from evaluation.services.evaluations.run import run_evaluation
from evaluation.services.evaluations.score import run_scoring
from evaluation.services.evaluations.start import start_evaluation


class Command(ModelCommand):
    help = "Evaluate a model on a data set in this process; prints the evaluation's number."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("dataset", type=int, help="number of the data set")
        parser.add_argument("model", type=int, help="number of the model")

    def handle(self, *args: Any, **options: Any) -> None:
        row = self.done(options, start_evaluation, _run)
        balanced = row.result and row.result.textbook.number("balanced_accuracy").value
        self.stdout.write(
            f"evaluation {row.pk}: balanced accuracy {balanced}, {row.failed_images.count()} failed images"
        )


def _run(pk: int) -> None:
    if Evaluation.objects.filter(pk=pk, stage=Stage.SCORING).exists():
        run_scoring(evaluation_id=pk)
    else:
        run_evaluation(evaluation_id=pk, alone=True)
