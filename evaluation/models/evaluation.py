"""Evaluations: one model on one data set, and the stored answers that they share."""

import uuid
from typing import Self

from django.db import models
from django.db.models import Case, F, Q, Value, When

from classifier.models import ModelRecord
from classifier.models.model_record import batch_queue
from evaluation.documents.evaluation_result import EvaluationResult
from evaluation.models.data_set import DataSet, LabelledImage, OnDataSetQuerySet
from skinsite.jobs import OPEN
from skinsite.jobs.long_job import LongJob
from skinsite.jobs.state import DEFAULT_QUEUE


class Stage(models.TextChoices):
    PREDICTING = "predicting"
    SCORING = "scoring"


class EvaluationQuerySet(OnDataSetQuerySet):
    def in_short(self) -> Self:
        """With the balanced accuracy, which is read in the database."""
        return super().in_short().annotate(balanced_accuracy=F("document__textbook__balanced_accuracy"))

    def retry_or_fail(self, pk: int, token: uuid.UUID) -> bool:
        """Nobody died of an error: the images in flight are not to blame."""
        self.owned(pk, token).update(in_flight=[])
        return super().retry_or_fail(pk, token)


class Evaluation(LongJob):
    """`document` is an EvaluationResult once it is done, `seen` what the model may have been trained on.

    The images are answered in time slices on the model's batch queue, the scores are computed on the light one.
    """

    task = "evaluation.evaluate"
    queue = Case(When(stage=Stage.SCORING, then=Value(DEFAULT_QUEUE)), default=batch_queue("model"))
    page = "evaluation"
    related = ("model", "data_set", "owner")
    takes_along = ("comparisons",)
    one_at_a_time = True
    limit = "WAITING_EVALUATIONS_A_USER"
    crowded = "1 of your evaluations may run and {limit} may wait; {count} are open: wait or cancel one."
    unit = "Images answered"

    data_set = models.ForeignKey(DataSet, models.CASCADE, related_name="evaluations")
    model = models.ForeignKey(ModelRecord, models.PROTECT, related_name="evaluations")
    stage = models.CharField(max_length=10, choices=Stage.choices, default=Stage.PREDICTING, editable=False)
    engine = models.CharField(max_length=20, default="native", editable=False)
    reused = models.PositiveIntegerField(default=0, editable=False, help_text="Answers that were stored already.")
    computed = models.PositiveIntegerField(default=0, editable=False, help_text="Answers of this evaluation's own.")
    busy_seconds = models.FloatField(default=0, editable=False, help_text="Spent on computing answers.")
    in_flight = models.JSONField(default=list, editable=False, help_text="The images that a worker is at.")
    quarantined = models.JSONField(
        default=list, editable=False, help_text="Those that were in flight when a worker died: they come alone."
    )
    seen = models.JSONField(default=dict, editable=False)

    objects = EvaluationQuerySet.as_manager()

    class Meta(LongJob.Meta):
        abstract = False
        indexes = [
            models.Index(fields=["owner", "state"], name="evaluations_of_a_person"),
            models.Index(fields=["state"], condition=Q(state__in=OPEN), name="open_evaluations"),
        ]

    def __str__(self) -> str:
        return f"{self.answered_by} on {self.data_set}"

    @property
    def answered_by(self) -> str:
        """The model, and the engine where it is no longer the model's."""
        return str(self.model) if self.engine == self.model.engine else f"{self.model} [{self.engine}]"

    @property
    def result(self) -> EvaluationResult | None:
        """What it found, once it has been done."""
        return EvaluationResult.model_validate(self.document) if self.document else None

    @property
    def progress(self) -> str:
        if self.stage == Stage.SCORING:
            return "All images are answered: computing numbers and figures"
        said = [f"{self.done:,} of {self.total:,} images"]
        if speed := self.images_per_second:
            said.append(f"{speed:.1f} images/s")
        if left := self.seconds_left:
            said.append(f"about {left:,.0f} s left")
        return " · ".join(said)

    @property
    def not_again(self) -> str:
        return f"This evaluation is {self.state} and no image of it failed: there is nothing to try again."

    def reopen(self) -> bool:
        """Also where it is done, for the images that failed; what the engine has answered is not asked again."""
        row = Evaluation.objects.filter(pk=self.pk)
        if not row.retry(done=self.failed_images.exists()):
            return False
        self.failed_images.all().delete()
        row.update(stage=Stage.PREDICTING, engine=self.model.engine, quarantined=[], in_flight=[])
        return True

    @property
    def images_per_second(self) -> float | None:
        return self.computed / self.busy_seconds if self.computed and self.busy_seconds else None

    @property
    def seconds(self) -> float | None:
        if self.begun_at is None or self.finished_at is None:
            return None
        return (self.finished_at - self.begun_at).total_seconds()

    @property
    def seconds_left(self) -> float | None:
        speed = self.images_per_second
        return (self.total - self.done) / speed if speed and not self.is_final else None


class Inference(models.Model):
    """A stored answer. `recipe` is a hash of all it depends on but the picture, `key` of that and the picture.

    See services/inferences.py.
    """

    image = models.ForeignKey(LabelledImage, models.CASCADE, related_name="inferences")
    model = models.ForeignKey(ModelRecord, models.CASCADE, related_name="inferences")
    recipe = models.CharField(max_length=64)
    key = models.CharField(max_length=64)
    probabilities = models.BinaryField(help_text="float64, little endian, in the order of the model's classes.")

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["image", "recipe"], name="one_answer_a_recipe")]
        indexes = [models.Index(fields=["key"], name="inferences_by_key")]

    def __str__(self) -> str:
        return f"inference {self.pk}"


class FailedImage(models.Model):
    """An image that one evaluation could not use, and why."""

    evaluation = models.ForeignKey(Evaluation, models.CASCADE, related_name="failed_images")
    image = models.ForeignKey(LabelledImage, models.CASCADE, related_name="failures")
    code = models.CharField(max_length=60)
    message = models.TextField()

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["evaluation", "image"], name="one_failure_an_image")]

    def __str__(self) -> str:
        return f"{self.image}: {self.message}"


class OperatingPoint(models.Model):
    """A reported threshold: chosen elsewhere than on the data that it is shown for."""

    evaluation = models.ForeignKey(Evaluation, models.CASCADE, related_name="operating_points")
    source = models.ForeignKey(Evaluation, models.CASCADE, null=True, related_name="+", help_text="Empty: a half.")
    definition = models.CharField(max_length=20)
    target = models.FloatField(help_text="The sensitivity that was asked for.")
    threshold = models.FloatField()
    result = models.JSONField()
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.definition} at {self.threshold:.3f}"
