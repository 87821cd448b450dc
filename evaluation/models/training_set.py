"""What a model was trained on, as far as anybody told."""

from django.db import models

from classifier.models import ModelRecord
from evaluation.models.data_set import DataSet


class TrainingSet(models.Model):
    """Ids of images or lesions, one a line, or a data set of this portal whose pictures are compared themselves."""

    model = models.ForeignKey(ModelRecord, models.CASCADE, related_name="training_sets")
    name = models.CharField(max_length=200)
    identifiers = models.TextField(blank=True, help_text="One image or lesion id a line.")
    data_set = models.ForeignKey(DataSet, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.name} for {self.model}"

    @property
    def ids(self) -> frozenset[str]:
        return frozenset(line.strip().lower() for line in self.identifiers.splitlines() if line.strip())
