"""One comparison from a script, without workers."""

from typing import Any

from django.core.management.base import CommandError

from evaluation.documents.comparison_result import ComparisonResult
from evaluation.management.job_command import JobCommand
from evaluation.models import Evaluation
from evaluation.models.comparison import TAXONOMY_CHOICES
from evaluation.services.comparisons.compare import run_comparison
from evaluation.services.comparisons.start import start_comparison


class Command(JobCommand):
    help = "Compare evaluations in a taxonomy in this process; prints the comparison's number and pairs."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("taxonomy", choices=[name for name, _ in TAXONOMY_CHOICES])
        parser.add_argument("evaluations", type=int, nargs="+", help="numbers of two to ten evaluations")

    def handle(self, *args: Any, **options: Any) -> None:
        found = Evaluation.objects.in_bulk(options["evaluations"])
        if missing := [str(pk) for pk in options["evaluations"] if pk not in found]:
            raise CommandError(f"There is no evaluation {', '.join(missing)}.")
        chosen = [found[pk] for pk in options["evaluations"]]
        comparison = self.started(
            start_comparison, owner=chosen[0].owner, evaluations=chosen, taxonomy_name=options["taxonomy"]
        )
        comparison = self.ran(comparison, lambda pk: run_comparison(comparison_id=pk))
        self.check_done(comparison)
        result = ComparisonResult.model_validate(comparison.document)
        self.stdout.write(f"comparison {comparison.pk}: {result.images} images")
        for row in result.pairs:
            if row.metric == result.primary:
                difference = f"{row.difference:+.3f} ({row.low:+.3f} to {row.high:+.3f})"
                self.stdout.write(f"{row.a} - {row.b}: {difference}, p = {row.p_holm:.4f} (Holm)")
