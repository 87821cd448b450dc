"""Setting checks: what a model's file cannot say, searched on labelled pictures."""

from typing import Any, Self

from django.db import models
from django.db.models import Q

from classifier.models import ModelRecord
from classifier.models.model_record import batch_queue
from evaluation.documents.setting_check import SettingResult
from evaluation.models.data_set import DataSet
from skinsite.jobs import OPEN
from skinsite.jobs.long_job import LongJob, LongJobQuerySet


class SettingCheckQuerySet(LongJobQuerySet):
    def visible_to(self, user: Any) -> Self:
        """Administrators' work, on data sets that the administrator may see: its page shows their pictures."""
        if not user.is_administrator:
            return self.none()
        return self.filter(Q(owner=user) | Q(data_set__in=DataSet.objects.visible_to(user)))

    def changeable_by(self, user: Any) -> Self:
        return self.visible_to(user)


class SettingCheck(LongJob):
    """`document` is a SettingResult once it is done; `filled` the version registered with what is confirmed."""

    task = "evaluation.check_setting"
    queue = batch_queue("model")
    page = "setting_check"
    related = ("model", "data_set", "owner", "filled")
    unit = "Answers"

    data_set = models.ForeignKey(DataSet, models.CASCADE, related_name="setting_checks")
    model = models.ForeignKey(ModelRecord, models.CASCADE, related_name="setting_checks")
    seed = models.PositiveIntegerField(default=0, help_text="Draws pictures and lesions.")
    filled = models.ForeignKey(ModelRecord, models.SET_NULL, null=True, editable=False, related_name="+")

    objects = SettingCheckQuerySet.as_manager()

    class Meta(LongJob.Meta):
        abstract = False
        constraints = [
            *LongJob.Meta.constraints,
            models.UniqueConstraint(
                fields=["model", "data_set"], condition=Q(state__in=OPEN), name="one_open_setting_check_of_a_pair"
            ),
        ]
        indexes = [models.Index(fields=["state"], condition=Q(state__in=OPEN), name="open_setting_checks")]

    def __str__(self) -> str:
        return f"Setting check of {self.model} on {self.data_set}"

    @property
    def open_already(self) -> str:
        return f"{self.model} is being checked on {self.data_set} already: wait for it or cancel it."

    @property
    def result(self) -> SettingResult:
        """What a finished check found."""
        return SettingResult.model_validate(self.document)

    @property
    def progress(self) -> str:
        if not self.total:
            return super().progress
        return f"{self.done:,} of about {self.total:,} answers, stage by stage"


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
