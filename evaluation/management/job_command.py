"""What the commands have in common that do one long job in their own process, without workers."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError

from classifier.models import ModelRecord
from evaluation.models import DataSet
from skinsite.jobs import OPEN, State
from skinsite.jobs.long_job import LongJob
from skinsite.refusal import Conflict, Refusal


class JobCommand(BaseCommand):
    def started(self, start: Callable[..., Any], **wanted: Any) -> Any:
        """Return the job that `start` makes. Raises CommandError with the reason where it makes none."""
        try:
            return start(**wanted)
        except (Conflict, Refusal) as reason:
            raise CommandError(str(reason)) from reason

    def ran(self, job: LongJob, run: Callable[[int], None]) -> Any:
        """Run a job, slice after slice, to its end, and return it as it is then."""
        while (row := type(job).objects.get(pk=job.pk)).state in OPEN:
            self.stderr.write(row.progress)
            run(row.pk)
        return row

    def check_done(self, job: LongJob) -> None:
        if job.state != State.DONE:
            raise CommandError(f"{job.error_message} {job.error_hint}")

    def owner(self, name: str) -> Any:
        owner = get_user_model().objects.filter(username=name).first()
        if owner is None:
            raise CommandError(f"There is no user {name!r}: name one with --owner.")
        return owner


class ModelCommand(JobCommand):
    """Takes a model's and a data set's number, and works as the data set's owner."""

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("model", type=int, help="number of the model")
        parser.add_argument("dataset", type=int, help="number of the data set")

    def done(
        self, options: dict[str, Any], start: Callable[..., Any], run: Callable[[int], None], **wanted: Any
    ) -> Any:
        """Start a job and run it. Raises CommandError where it does not end as done."""
        data_set = DataSet.objects.filter(pk=options["dataset"]).first()
        model = ModelRecord.objects.filter(pk=options["model"]).first()
        if data_set is None or model is None:
            raise CommandError("There is no such data set." if data_set is None else "There is no such model.")
        job = self.ran(self.started(start, owner=data_set.owner, data_set=data_set, model=model, **wanted), run)
        self.check_done(job)
        return job


class CheckCommand(ModelCommand):
    """Takes a seed, too."""

    def add_arguments(self, parser: Any) -> None:
        super().add_arguments(parser)
        parser.add_argument("--seed", type=int, default=0, help="draws pictures and lesions")
