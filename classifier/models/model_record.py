"""A model record: one registered, immutable version of a trained classifier."""

from pathlib import Path
from typing import Any, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Concat
from django.urls import reverse

from skinsite.diagnoses import DIAGNOSES
from skinsite.jobs.state import BATCH


class ModelState(models.TextChoices):
    CHECKING = "checking"
    READY = "ready"
    REFUSED = "refused"
    RETIRED = "retired"


class Framework(models.TextChoices):
    KERAS = "keras", "Keras"
    TORCH = "torch", "PyTorch"


def interactive_queue(model: str) -> Combinable:
    """The queue in which people wait for a model's workers; `model` is the row's path to the model."""
    return F(f"{model}__framework")


def batch_queue(model: str) -> Combinable:
    """The queue of long work for a model's workers."""
    return Concat(interactive_queue(model), Value(BATCH))


class ModelRecordQuerySet(models.QuerySet["ModelRecord"]):
    def visible_to(self, user: Any) -> Self:
        """Ready and retired models are for all users; what is being checked or was refused, for administrators."""
        if user.is_administrator:
            return self
        return self.filter(state__in=(ModelState.READY, ModelState.RETIRED))

    def ready(self) -> Self:
        return self.filter(state=ModelState.READY)


class ModelRecord(models.Model):
    """The classes, weights and preprocessing of a ready model never change: another choice is another version."""

    name = models.CharField(max_length=100)
    version = models.CharField(max_length=40, default="1")
    state = models.CharField(max_length=8, choices=ModelState.choices, default=ModelState.CHECKING, editable=False)
    is_default = models.BooleanField("default", default=False, help_text="Preselected for a new case.")
    framework = models.CharField(max_length=5, choices=Framework.choices, blank=True, editable=False)
    architecture = models.CharField(max_length=200, blank=True, editable=False)
    manifest = models.JSONField(default=dict, blank=True, editable=False, help_text="As used; see docs/manifest.md.")
    parameters = models.PositiveBigIntegerField(null=True, editable=False)
    sha256 = models.CharField("weights sha256", max_length=64, blank=True, editable=False)
    upload = models.CharField(max_length=200, editable=False, help_text="The original, below SKINSITE_DATA.")
    upload_name = models.CharField(max_length=255, editable=False)
    upload_sha256 = models.CharField(max_length=64, editable=False)
    bundle = models.CharField(max_length=200, blank=True, editable=False, help_text="Folder, below SKINSITE_DATA.")
    layer = models.CharField("layer of the maps", max_length=200, blank=True, editable=False)
    engine = models.CharField(
        max_length=20, default="native", editable=False, help_text="What answers: see the report."
    )
    report = models.JSONField(default=list, blank=True, editable=False)
    measured = models.JSONField(default=dict, blank=True, editable=False)
    error = models.JSONField(null=True, blank=True, editable=False)
    licence = models.CharField(max_length=300, blank=True)
    card = models.TextField("model card", blank=True, help_text="Markdown, without HTML.")
    created = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, editable=False)

    objects = ModelRecordQuerySet.as_manager()

    FROZEN = ("framework", "architecture", "manifest", "parameters", "sha256", "bundle", "layer", "engine", "upload")

    class Meta:
        verbose_name = "model"
        ordering = ["-is_default", "name", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["name", "version"], name="model_name_and_version_are_unique"),
            models.CheckConstraint(
                name="ready_model_has_a_bundle",
                condition=~Q(state__in=[ModelState.READY, ModelState.RETIRED])
                | (~Q(bundle="") & ~Q(sha256="") & ~Q(framework="")),
            ),
            models.CheckConstraint(
                name="default_model_is_ready", condition=Q(is_default=False) | Q(state=ModelState.READY)
            ),
            models.CheckConstraint(
                name="refused_model_has_a_reason",
                condition=~Q(state=ModelState.REFUSED) | Q(error__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} (version {self.version})"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Refuse to change what a prediction may have been made with."""
        if self.pk:
            stored = type(self).objects.filter(pk=self.pk, state__in=(ModelState.READY, ModelState.RETIRED)).first()
            changed = stored and [name for name in self.FROZEN if getattr(stored, name) != getattr(self, name)]
            if changed:
                raise ValidationError(f"A ready model never changes: {', '.join(changed)}. Register a new version.")
        super().save(*args, **kwargs)

    def get_absolute_url(self) -> str:
        return reverse("model", args=[self.pk])

    @property
    def classes(self) -> list[dict[str, Any]]:
        """The classes in the order of the model's outputs, each with code, name, malignant and colour."""
        return [_described(entry) for entry in self.manifest.get("classes", [])]

    @property
    def class_names(self) -> dict[str, str]:
        return {entry["code"]: entry["name"] for entry in self.classes}

    @property
    def malignant_codes(self) -> list[str]:
        return [entry["code"] for entry in self.classes if entry["malignant"]]

    @property
    def uses_clinical(self) -> bool:
        return bool(self.manifest.get("input", {}).get("clinical", "none") != "none")

    @property
    def bundle_path(self) -> Path:
        return Path(settings.SKINSITE_DATA, self.bundle)

    @property
    def upload_path(self) -> Path:
        return Path(settings.SKINSITE_DATA, self.upload)


def _described(entry: Any) -> dict[str, Any]:
    if isinstance(entry, str):
        entry = {"code": entry}
    known = DIAGNOSES.get(entry["code"])
    return {
        "code": entry["code"],
        "name": entry.get("name") or (known.name if known else entry["code"]),
        "malignant": entry.get("malignant", known.malignant if known else None),
        "colour": known.colour if known else "",
    }
