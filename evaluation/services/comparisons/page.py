"""What the page of a comparison shows, made ready for its template."""

from functools import cached_property
from typing import Any

from classifier.models import Prediction
from evaluation.documents.comparison_result import ComparisonResult, Pair
from evaluation.metrics.catalogue import BY_CODE, HEADLINE, Better
from evaluation.models import Comparison, LabelledImage
from evaluation.services.data_sets.seen import UNDECLARED
from skinsite.diagnoses import TAXONOMIES, name_of

SIGNIFICANT = 0.05
SHOWN = 24


class ComparisonPage:
    """`opened` are the reader's own predictions with maps: {image pk: {model pk: prediction}}."""

    def __init__(
        self, comparison: Comparison, document: ComparisonResult, opened: dict[int, dict[int, Prediction]]
    ) -> None:
        self.comparison, self.document, self.opened = comparison, document, opened
        self.names = {row.evaluation: row.name for row in document.models}
        self.model_of = dict(comparison.evaluations.values_list("pk", "model"))
        known = TAXONOMIES.get(comparison.taxonomy)
        self.title = known.title if known else "The models' own classes"

    @cached_property
    def undeclared(self) -> list[str]:
        """The models of which nobody can tell what they have seen."""
        rows = self.comparison.evaluations.select_related("model").order_by("pk")
        return [str(row.model) for row in rows if UNDECLARED in (row.seen or {}).get("notices", ())]

    @property
    def forest(self) -> list[dict[str, Any]]:
        """The models under each metric of 0 to 1."""
        return [
            {
                "metric": metric,
                "rows": [{"model": row, "number": row.sheet.number(metric.code)} for row in self.document.models],
            }
            for metric in HEADLINE
            if metric.better == Better.HIGHER
        ]

    @property
    def primary(self) -> list[dict[str, Any]]:
        return [self._pair(row) for row in self.document.pairs if row.metric == self.document.primary]

    @property
    def exploratory(self) -> list[dict[str, Any]]:
        return [self._pair(row) for row in self.document.pairs if row.metric != self.document.primary]

    def _pair(self, row: Pair) -> dict[str, Any]:
        names = {"a_name": self.names[row.a], "b_name": self.names[row.b], "title": BY_CODE[row.metric].title}
        return dict(row) | names | {"differs": row.p_holm is not None and row.p_holm < SIGNIFICANT}

    @property
    def groups(self) -> list[list[str]]:
        return [[self.names[key] for key in group] for group in self.document.groups]

    @property
    def verdict(self) -> str:
        """The comparison in one sentence."""
        shown = [row for row in self.primary if row["differs"]]
        images = f"{self.document.images:,} images of {self.document.lesions:,} lesions"
        if not shown:
            return (
                f"On {images} the models are not shown to differ in balanced accuracy; differences below about "
                f"{self.document.smallest_difference:.3f} could not have been shown by this set."
            )
        parts = [
            f"{row['a_name'] if row['difference'] > 0 else row['b_name']} is better than "
            f"{row['b_name'] if row['difference'] > 0 else row['a_name']} by {abs(row['difference']):.3f} "
            f"(p = {row['p_holm']:.4f} after Holm)"
            for row in shown
        ]
        return f"On {images}, in balanced accuracy: {'; '.join(parts)}."

    @property
    def mappings(self) -> list[dict[str, Any]]:
        return [{"name": row.name, "places": sorted(row.mapping.items())} for row in self.document.models]

    @property
    def wins(self) -> list[dict[str, Any]]:
        return [
            {
                "a": self.names[row.a],
                "b": self.names[row.b],
                "classes": [{"code": code, "name": name_of(code), **counts} for code, counts in row.classes.items()],
            }
            for row in self.document.wins
        ]

    @property
    def disagreements(self) -> list[dict[str, Any]]:
        rows = self.document.disagreements[:SHOWN]
        images = LabelledImage.objects.in_bulk([row.image for row in rows])
        classes = self.document.classes
        return [
            {
                "image": images[row.image],
                "case": self._case(row.image),
                "truth": row.truth,
                "truth_name": name_of(row.truth),
                "answers": [
                    {
                        "model": self.names[key],
                        "predicted": answer.predicted,
                        "predicted_name": name_of(answer.predicted),
                        "right": answer.predicted == row.truth,
                        "prediction": self.opened.get(row.image, {}).get(self.model_of.get(int(key), 0)),
                        "top": sorted(zip(answer.probabilities, classes, strict=True), reverse=True)[:3],
                    }
                    for key, answer in row.answers.items()
                ],
            }
            for row in rows
            if row.image in images
        ]

    def _case(self, image: int) -> int | None:
        return next((row.image.case_id for row in self.opened.get(image, {}).values()), None)

    @property
    def same_sensitivity(self) -> list[dict[str, Any]]:
        """A row for each definition, target and model, and one for each pair."""
        found = []
        for block in self.document.same_sensitivity:
            targets = [
                {
                    "target": aim.target,
                    "models": [{**row, "name": self.names[row["evaluation"]]} for row in aim.models],
                    "pairs": [
                        {"a": self.names[row.a], "b": self.names[row.b], "specificity": row.specificity}
                        for row in aim.pairs
                    ],
                }
                for aim in block.targets
            ]
            found.append(dict(block) | {"targets": targets})
        return found

    @property
    def elsewhere(self) -> list[dict[str, Any]]:
        return [dict(row) | {"name": self.names[row.evaluation]} for row in self.document.elsewhere]
