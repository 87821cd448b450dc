"""A prediction: one model on one image."""

from dataclasses import dataclass
from typing import Any, Self

from django.db import models
from django.db.models import Q

from classifier.models.case import CaseImage
from classifier.models.model_record import ModelRecord, interactive_queue
from skinsite.diagnoses import malignant_sum
from skinsite.jobs import OPEN, Job, JobQuerySet, State


@dataclass(frozen=True)
class ClassProbability:
    code: str
    name: str
    probability: float


class PredictionQuerySet(JobQuerySet):
    def visible_to(self, user: Any) -> Self:
        return self.filter(image__case__owner=user)


class Prediction(Job):
    """Probabilities are in [0, 1], by class code, and sum to 1 over the model's classes. Times are in ms."""

    task = "classifier.predict"
    queue = interactive_queue("model")

    image = models.ForeignKey(CaseImage, models.CASCADE, related_name="predictions")
    model = models.ForeignKey(ModelRecord, models.PROTECT, related_name="predictions")
    probabilities = models.JSONField(null=True, editable=False)
    scores = models.JSONField(null=True, editable=False, help_text="Raw values of several sigmoids.")
    top_code = models.CharField(max_length=40, blank=True, editable=False)
    top_probability = models.FloatField(null=True, editable=False)
    engine = models.CharField(max_length=20, default="native", editable=False)
    load_ms = models.FloatField(null=True, editable=False)
    predict_ms = models.FloatField(null=True, editable=False)
    explain_ms = models.FloatField(null=True, editable=False)
    provenance = models.JSONField(default=dict, editable=False, help_text="What the result was made with.")

    objects = PredictionQuerySet.as_manager()

    class Meta(Job.Meta):
        abstract = False
        ordering = ["pk"]
        constraints = [
            *Job.Meta.constraints,
            models.UniqueConstraint(fields=["image", "model"], name="one_prediction_an_image_and_model"),
            models.CheckConstraint(
                name="prediction_has_a_result_exactly_when_done",
                condition=Q(state=State.DONE, probabilities__isnull=False, top_probability__isnull=False)
                | (~Q(state=State.DONE) & Q(probabilities__isnull=True, top_probability__isnull=True)),
            ),
        ]
        indexes = [
            models.Index(fields=["state", "image"], name="predictions_by_state"),
            models.Index(fields=["model", "queued_at"], condition=Q(state__in=OPEN), name="open_predictions"),
            models.Index(fields=["top_code", "image"], name="predictions_by_diagnosis"),
            models.Index(fields=["model", "image"], name="predictions_by_model"),
        ]

    def __str__(self) -> str:
        return f"prediction {self.pk}: {self.state}"

    @property
    def distribution(self) -> list[ClassProbability]:
        """The classes with their probabilities, most probable first."""
        found = self.probabilities or {}
        rows = [ClassProbability(code, name, found[code]) for code, name in self.model.class_names.items() if found]
        return sorted(rows, key=lambda row: -row.probability)

    @property
    def top_name(self) -> str:
        return self.model.class_names.get(self.top_code, self.top_code)

    @property
    def malignant_probability(self) -> float | None:
        """Sum over the malignant classes, or None where the model declares none."""
        if not self.probabilities or not self.model.malignant_codes:
            return None
        return malignant_sum(self.probabilities, self.model.malignant_codes)

    @property
    def queued_ms(self) -> float | None:
        if self.started_at is None:
            return None
        return (self.started_at - self.queued_at).total_seconds() * 1000
