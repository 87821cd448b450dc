"""Setting checks: what a model's file cannot say, searched on labelled pictures."""

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse

from classifier.models import ModelRecord
from evaluation.documents.setting_check import SettingResult
from evaluation.models.data_set import DataSet
from skinsite.jobs import OPEN, Job, JobQuerySet, State


class SettingCheckQuerySet(JobQuerySet):
    def visible_to(self, user: Any) -> Self:
        """Administrators' work, on data sets that the administrator may see: its page shows their pictures."""
        if not getattr(user, "is_administrator", False):
            return self.none()
        return self.filter(Q(owner=user) | Q(data_set__in=DataSet.objects.visible_to(user)))


class SettingCheck(Job):
    """`document` is a SettingResult once it is done; `filled` the version registered with what is confirmed."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="setting_checks")
    data_set = models.ForeignKey(DataSet, models.CASCADE, related_name="setting_checks")
    model = models.ForeignKey(ModelRecord, models.CASCADE, related_name="setting_checks")
    seed = models.PositiveIntegerField(default=0, help_text="Draws pictures and lesions.")
    total = models.PositiveIntegerField(default=0, editable=False, help_text="At most so many answers are needed.")
    done = models.PositiveIntegerField(default=0, editable=False, help_text="Answers that are stored.")
    begun_at = models.DateTimeField(null=True, editable=False)
    document = models.JSONField(default=dict, editable=False)
    filled = models.ForeignKey(ModelRecord, models.SET_NULL, null=True, editable=False, related_name="+")

    objects = SettingCheckQuerySet.as_manager()

    class Meta(Job.Meta):
        abstract = False
        ordering = ["-pk"]
        constraints = [
            *Job.Meta.constraints,
            models.UniqueConstraint(
                fields=["model", "data_set"], condition=Q(state__in=OPEN), name="one_open_setting_check_of_a_pair"
            ),
        ]
        indexes = [models.Index(fields=["state"], condition=Q(state__in=OPEN), name="open_setting_checks")]

    def __str__(self) -> str:
        return f"Setting check of {self.model} on {self.data_set}"

    def get_absolute_url(self) -> str:
        return reverse("setting_check", args=[self.pk])

    @property
    def result(self) -> SettingResult:
        """What a finished check found."""
        return SettingResult.model_validate(self.document)

    @property
    def queue(self) -> str:
        return f"{self.model.framework}-batch"

    @property
    def shown_state(self) -> str:
        """A row that waits for its next turn is running for the person who looks at it."""
        return State.RUNNING if self.state == State.QUEUED and self.begun_at else self.state


class SettingAnswers(models.Model):
    """The logits of one half's pictures read with one input, as far as they are computed."""

    check_of = models.ForeignKey(SettingCheck, models.CASCADE, related_name="answers")
    half = models.CharField(max_length=6)
    setting = models.CharField(max_length=64, help_text="A hash of the input.")
    images = models.PositiveIntegerField(default=0)
    logits = models.BinaryField(default=bytes, help_text="float32, little endian, (images, outputs).")

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["check_of", "half", "setting"], name="one_row_of_answers_a_setting")
        ]

    def __str__(self) -> str:
        return f"answers {self.pk}"
