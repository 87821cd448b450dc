"""An explanation: the heat maps of one prediction, all classes, by one method; and the job that makes it."""

from typing import Any, Self

import numpy as np
import numpy.typing as npt
from django.db import models
from django.db.models import Q

from classifier.models.model_record import interactive_queue
from classifier.models.prediction import Prediction
from skinsite.jobs import OPEN, Job, JobQuerySet


class Explanation(models.Model):
    """Signed maps at the layer's own resolution, float32, classes in the order of the model's outputs."""

    prediction = models.ForeignKey(Prediction, models.CASCADE, related_name="explanations")
    method = models.CharField(max_length=30, default="grad-cam")
    layer = models.CharField(max_length=200, blank=True)
    rows = models.PositiveSmallIntegerField(default=0)
    columns = models.PositiveSmallIntegerField(default=0)
    region = models.JSONField(null=True, help_text="[left, top, right, bottom] in px of the upright picture.")
    maps = models.BinaryField(default=b"", help_text="float32, (classes, rows, columns), little endian")
    error = models.JSONField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["prediction", "method"], name="one_explanation_a_method"),
        ]

    def __str__(self) -> str:
        return f"{self.method} of prediction {self.prediction_id}"

    def signed_maps(self) -> dict[str, npt.NDArray[np.float32]]:
        """Return {code: (rows, columns)}; empty where the model has no spatial layer."""
        codes = [entry["code"] for entry in self.prediction.model.classes]
        maps = np.frombuffer(self.maps, dtype="<f4").reshape(-1, self.rows or 1, self.columns or 1)
        return dict(zip(codes, maps, strict=True)) if len(maps) else {}


class ExplanationJobQuerySet(JobQuerySet):
    def visible_to(self, user: Any) -> Self:
        return self.filter(prediction__image__case__owner=user)


class ExplanationJob(Job):
    """Asked for by a person, and done when the `Explanation` of its method is stored. Grad-CAM needs none."""

    task = "classifier.explain"
    queue = interactive_queue("prediction__model")

    prediction = models.ForeignKey(Prediction, models.CASCADE, related_name="explanation_jobs")
    method = models.CharField(max_length=30)

    objects = ExplanationJobQuerySet.as_manager()

    class Meta(Job.Meta):
        abstract = False
        ordering = ["pk"]
        constraints = [
            *Job.Meta.constraints,
            models.UniqueConstraint(fields=["prediction", "method"], name="one_job_an_explanation"),
        ]
        indexes = [models.Index(fields=["state"], condition=Q(state__in=OPEN), name="open_explanations")]

    def __str__(self) -> str:
        return f"{self.method} of prediction {self.prediction_id}: {self.state}"
