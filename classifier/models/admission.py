"""An admission: one try to turn a model record's upload into a bundle, with one manifest."""

from django.db import models
from django.db.models import Q

from classifier.models.model_record import ModelRecord
from skinsite.jobs import OPEN, Job, JobQuerySet


class Admission(Job):
    """It is done when the question is answered: the record is then ready or refused, with a report."""

    task = "classifier.admit"

    record = models.ForeignKey(ModelRecord, models.CASCADE, related_name="admissions")
    manifest = models.JSONField(default=dict, help_text="What the administrator gave; the rest is proposed.")

    objects = JobQuerySet.as_manager()

    class Meta(Job.Meta):
        abstract = False
        constraints = [
            *Job.Meta.constraints,
            models.UniqueConstraint(fields=["record"], condition=Q(state__in=OPEN), name="one_open_admission_a_record"),
        ]
        indexes = [models.Index(fields=["state"], condition=Q(state__in=OPEN), name="open_admissions")]

    def __str__(self) -> str:
        return f"admission {self.pk} of {self.record}: {self.state}"
