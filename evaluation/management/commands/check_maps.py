"""One map check from a script, without workers."""

from typing import Any

from evaluation.management.job_command import CheckCommand
from evaluation.services.map_checks.measure import run_map_check
from evaluation.services.map_checks.page import rows_of
from evaluation.services.map_checks.start import start_map_check


class Command(CheckCommand):
    help = "Measure on a data set how far a model's heat maps can be trusted, in this process; prints the table."

    def handle(self, *args: Any, **options: Any) -> None:
        row = self.done(options, start_map_check, _run, seed=options["seed"])
        for name, *cells in rows_of(row.result):
            self.stdout.write(f"{name:38}" + "".join(f"{cell:24}" for cell in cells))
        for sentence in row.result.sentences:
            self.stdout.write(sentence)
        self.stdout.write(f"map check {row.pk}: {row.busy_seconds:.0f} s, {row.get_absolute_url()}")


def _run(pk: int) -> None:
    run_map_check(check_id=pk, alone=True)
