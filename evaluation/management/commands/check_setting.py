"""One setting check from a script, without workers."""

from typing import Any

from evaluation.management.job_command import CheckCommand
from evaluation.services.setting_checks.run import run_setting_check
from evaluation.services.setting_checks.start import start_setting_check


class Command(CheckCommand):
    help = "Search on labelled images what a model's file cannot say, in this process; prints what is confirmed."

    def handle(self, *args: Any, **options: Any) -> None:
        row = self.done(options, start_setting_check, _run, seed=options["seed"])
        for sentence in row.result.sentences:
            self.stdout.write(sentence)
        self.stdout.write(f"setting check {row.pk}: {row.done} answers, {row.get_absolute_url()}")


def _run(pk: int) -> None:
    run_setting_check(check_id=pk, alone=True)
