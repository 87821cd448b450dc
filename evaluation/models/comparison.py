"""Comparisons: two to ten evaluations on the same images, in one taxonomy."""

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from classifier.models import Case, ModelRecord
from evaluation.models.data_set import DataSet, LabelledImage
from evaluation.models.evaluation import Evaluation
from skinsite.diagnoses import NATIVE, TAXONOMIES
from skinsite.jobs import Job, JobQuerySet

TAXONOMY_CHOICES = [(name, taxonomy.title) for name, taxonomy in TAXONOMIES.items()] + [
    (NATIVE, "The models' own classes, where these are the same")
]


class ComparisonQuerySet(JobQuerySet):
    def visible_to(self, user: Any) -> Self:
        return self.filter(Q(owner=user) | Q(data_set__published=True, owner=F("data_set__owner")))


class Comparison(Job):
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="comparisons")
    data_set = models.ForeignKey(DataSet, models.CASCADE, related_name="comparisons")
    evaluations = models.ManyToManyField(Evaluation, related_name="comparisons")
    taxonomy = models.CharField(max_length=20, choices=TAXONOMY_CHOICES)
    order = models.JSONField(default=list, editable=False, help_text="Ids of the evaluations as they were named.")
    document = models.JSONField(default=dict, editable=False)

    objects = ComparisonQuerySet.as_manager()

    class Meta(Job.Meta):
        abstract = False
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"Comparison {self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("comparison", args=[self.pk])


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
