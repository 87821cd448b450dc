"""Comparisons: two to ten evaluations on the same images, in one taxonomy."""

from typing import Self

from django.db import models

from classifier.models import Case, ModelRecord
from evaluation.documents.comparison_result import ComparisonResult
from evaluation.models.data_set import DataSet, LabelledImage, OnDataSetQuerySet
from evaluation.models.evaluation import Evaluation
from skinsite.diagnoses import NATIVE, TAXONOMIES
from skinsite.jobs.long_job import LongJob

TAXONOMY_CHOICES = [(name, taxonomy.title) for name, taxonomy in TAXONOMIES.items()] + [
    (NATIVE, "The models' own classes, where these are the same")
]


class ComparisonQuerySet(OnDataSetQuerySet):
    def in_short(self) -> Self:
        return super().in_short().prefetch_related("evaluations__model")


class Comparison(LongJob):
    """`document` is a ComparisonResult once it is done."""

    task = "evaluation.compare"
    page = "comparison"
    related = ("data_set", "owner")

    data_set = models.ForeignKey(DataSet, models.CASCADE, related_name="comparisons")
    evaluations = models.ManyToManyField(Evaluation, related_name="comparisons")
    taxonomy = models.CharField(max_length=20, choices=TAXONOMY_CHOICES)
    order = models.JSONField(default=list, editable=False, help_text="Ids of the evaluations as they were named.")

    objects = ComparisonQuerySet.as_manager()

    class Meta(LongJob.Meta):
        abstract = False

    def __str__(self) -> str:
        return f"Comparison {self.pk}"

    @property
    def result(self) -> ComparisonResult | None:
        """What it found, once it is done."""
        return ComparisonResult.model_validate(self.document) if self.document else None


class OpenedImage(models.Model):
    """An image of a comparison that somebody opened as a case of their own, to see the models' heat maps."""

    comparison = models.ForeignKey(Comparison, models.CASCADE, related_name="opened")
    image = models.ForeignKey(LabelledImage, models.CASCADE, related_name="+")
    case = models.OneToOneField(Case, models.CASCADE, related_name="+")

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.image} of {self.comparison}"


class ClassPlace(models.Model):
    """An administrator's word on where a model's class goes in a taxonomy; an empty place leaves it out."""

    model = models.ForeignKey(ModelRecord, models.CASCADE, related_name="class_places")
    taxonomy = models.CharField(max_length=20, choices=TAXONOMY_CHOICES)
    code = models.CharField(max_length=40)
    place = models.CharField(max_length=40, blank=True)

    class Meta:
        ordering = ["model", "taxonomy", "code"]
        constraints = [models.UniqueConstraint(fields=["model", "taxonomy", "code"], name="one_place_a_class")]

    def __str__(self) -> str:
        return f"{self.model}: {self.code} is {self.place or 'nothing'} in {self.taxonomy}"
