"""Evaluations: one model on one data set, and the stored answers that they share."""

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone

from classifier.models import ModelRecord
from evaluation.models.data_set import DataSet, LabelledImage
from skinsite.jobs import OPEN, Job, JobQuerySet, State


class Stage(models.TextChoices):
    PREDICTING = "predicting"
    SCORING = "scoring"


class EvaluationQuerySet(JobQuerySet):
    def visible_to(self, user: Any) -> Self:
        """One's own, and those that the owner of a published data set made."""
        return self.filter(Q(owner=user) | Q(data_set__published=True, owner=F("data_set__owner")))

    def in_short(self) -> Self:
        """Without the document, which is hundreds of kilobytes; its balanced accuracy is read in the database."""
        return self.defer("document").annotate(balanced_accuracy=F("document__textbook__balanced_accuracy"))

    def next_of_each_owner(self) -> Self:
        """The open ones whose turn it is: one at a time for each person, oldest first."""
        earlier = self.model.objects.filter(
            owner=models.OuterRef("owner"), state__in=OPEN, pk__lt=models.OuterRef("pk")
        )
        return self.filter(~models.Exists(earlier), state__in=OPEN)

    def reopen(self) -> int:
        """done -> queued, for the images that failed."""
        fresh = {"queued_at": timezone.now(), "attempts": 0, "deaths": 0, "sent_at": None, "finished_at": None}
        return self.filter(state=State.DONE).update(state=State.QUEUED, **fresh)


class Evaluation(Job):
    """`document` is metrics.json without provenance, `seen` what the model may have been trained on."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="evaluations")
    data_set = models.ForeignKey(DataSet, models.CASCADE, related_name="evaluations")
    model = models.ForeignKey(ModelRecord, models.PROTECT, related_name="evaluations")
    stage = models.CharField(max_length=10, choices=Stage.choices, default=Stage.PREDICTING, editable=False)
    engine = models.CharField(max_length=20, default="native", editable=False)
    total = models.PositiveIntegerField(default=0, editable=False)
    done = models.PositiveIntegerField(default=0, editable=False)
    reused = models.PositiveIntegerField(default=0, editable=False, help_text="Answers that were stored already.")
    computed = models.PositiveIntegerField(default=0, editable=False, help_text="Answers of this evaluation's own.")
    busy_seconds = models.FloatField(default=0, editable=False, help_text="Spent on computing answers.")
    begun_at = models.DateTimeField(null=True, editable=False)
    hands = models.JSONField(default=list, editable=False, help_text="The images in hand: suspects if the worker dies.")
    suspects = models.JSONField(default=list, editable=False, help_text="Images in hand when a worker died.")
    document = models.JSONField(default=dict, editable=False)
    seen = models.JSONField(default=dict, editable=False)

    objects = EvaluationQuerySet.as_manager()

    class Meta(Job.Meta):
        abstract = False
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["owner", "state"], name="evaluations_of_a_person"),
            models.Index(fields=["state"], condition=Q(state__in=OPEN), name="open_evaluations"),
        ]

    def __str__(self) -> str:
        return f"{self.answered_by} on {self.data_set}"

    def get_absolute_url(self) -> str:
        return reverse("evaluation", args=[self.pk])

    @property
    def answered_by(self) -> str:
        """The model, and the engine where it is no longer the model's."""
        return str(self.model) if self.engine == self.model.engine else f"{self.model} [{self.engine}]"

    @property
    def queue(self) -> str:
        """The batch queue of the model's framework, or the light one for the scores."""
        return "default" if self.stage == Stage.SCORING else f"{self.model.framework}-batch"

    @property
    def shown_state(self) -> str:
        """A row that waits for its next turn is running for the person who looks at it."""
        return State.RUNNING if self.state == State.QUEUED and self.begun_at else self.state

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
