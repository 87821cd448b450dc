"""A case: one submission by one person, one or more images of one lesion."""

from collections.abc import Iterable
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.urls import reverse

from skinsite.diagnoses import DIAGNOSES
from skinsite.jobs import OPEN, State

REFERENCE_CHOICES = [(code, diagnosis.name) for code, diagnosis in DIAGNOSES.items()]


class Sex(models.TextChoices):
    FEMALE = "female"
    MALE = "male"


class CaseQuerySet(models.QuerySet["Case"]):
    def visible_to(self, user: Any) -> Self:
        return self.filter(owner=user)


class Case(models.Model):
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="cases")
    created = models.DateTimeField(auto_now_add=True)
    title = models.CharField(max_length=200, blank=True)
    age = models.DecimalField("age in years", max_digits=4, decimal_places=1, null=True, blank=True)
    sex = models.CharField(max_length=6, choices=Sex.choices, blank=True)
    site = models.CharField("anatomical site", max_length=40, blank=True)
    reference = models.CharField("reference diagnosis", max_length=40, choices=REFERENCE_CHOICES, blank=True)
    note = models.TextField(max_length=5000, blank=True)
    refused = models.JSONField(default=list, editable=False, help_text="[{file, reason}] of the same submission.")

    objects = CaseQuerySet.as_manager()

    class Meta:
        ordering = ["-created", "-pk"]
        indexes = [
            models.Index(fields=["owner", "-created", "-id"], name="cases_of_a_person"),
            models.Index("owner", Lower("title"), "id", name="cases_by_title"),
        ]
        constraints = [
            models.CheckConstraint(name="age_is_human", condition=Q(age__isnull=True) | Q(age__gte=0, age__lte=120)),
        ]

    def __str__(self) -> str:
        return self.title or f"Case {self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("case", args=[self.pk])

    @property
    def reference_name(self) -> str:
        return DIAGNOSES[self.reference].name if self.reference in DIAGNOSES else ""


class CaseImage(models.Model):
    """One picture, upright, sRGB, without metadata; the pixels are kept losslessly."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="images")
    position = models.PositiveSmallIntegerField(help_text="Order in the submission, from 0.")
    name = models.CharField(max_length=255, help_text="The file's name as submitted: text from a stranger.")
    pixels = models.FileField(max_length=200, help_text="PNG")
    screen = models.FileField(max_length=200, help_text="WebP, at most 1600 px")
    thumbnail = models.FileField(max_length=200, help_text="WebP, at most 320 px")
    sha256 = models.CharField(max_length=64, help_text="Of the decoded pixels and their shape.")
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    changes = models.JSONField(default=list, help_text="What decoding did to the file, as sentences.")

    class Meta:
        ordering = ["position"]
        indexes = [models.Index(fields=["name", "case"], name="images_by_name")]
        constraints = [
            models.UniqueConstraint(fields=["case", "position"], name="one_image_a_position"),
            models.CheckConstraint(name="image_has_a_size", condition=Q(width__gt=0, height__gt=0)),
        ]

    def __str__(self) -> str:
        return self.name


def case_state(states: Iterable[str]) -> str:
    """The state of a case from those of its predictions, as the contract defines it."""
    found = set(states)
    if found & set(OPEN):
        return State.RUNNING
    for state in (State.DONE, State.FAILED):
        if state in found:
            return state
    return State.CANCELLED
