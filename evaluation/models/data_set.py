"""Data sets: labelled images of one owner. Importing one is a job."""

from typing import Any, Self

from django.db import models
from django.db.models import F, Q

from evaluation.documents.data_set import ImportResult
from skinsite.diagnoses import DIAGNOSES, NAMES_BEYOND
from skinsite.jobs.long_job import LongJob, LongJobQuerySet

LONGEST_NAME = 200


class DataSetQuerySet(LongJobQuerySet):
    def visible_to(self, user: Any) -> Self:
        """One's own, and what an administrator published."""
        return self.filter(Q(owner=user) | Q(published=True))

    def in_short(self) -> Self:
        return self.select_related("owner").defer("refused", "words", "columns")


class DataSet(LongJob):
    """`labels` are the codes that occur: {code: {name, malignant}}; the steps are the pictures to decode or fetch."""

    task = "evaluation.import"
    page = "dataset"
    takes_along = ("evaluations", "comparisons")
    page_size = 50
    unit = "Pictures decoded"

    name = models.CharField(max_length=LONGEST_NAME)
    created = models.DateTimeField(auto_now_add=True)
    published = models.BooleanField(default=False, help_text="Every user may read it and its owner's evaluations.")
    synthetic = models.BooleanField(
        default=False, editable=False, help_text="Drawn by a program: for trying the pages."
    )
    archive = models.CharField(max_length=300, blank=True, editable=False, help_text="Path below SKINSITE_DATA.")
    folder = models.CharField(max_length=500, blank=True, editable=False, help_text="On the server's own disk.")
    masks = models.CharField(max_length=500, blank=True, editable=False, help_text="On the server's own disk.")
    table = models.CharField(max_length=300, blank=True, editable=False, help_text="Path below SKINSITE_DATA.")
    wanted = models.JSONField(default=dict, editable=False, help_text="{query, images} of the ISIC Archive.")
    mapping = models.JSONField(default=dict, blank=True, help_text="{columns: {...}, labels: {label: code}}")
    columns = models.JSONField(default=list, editable=False, help_text="The table's columns with samples.")
    guess = models.JSONField(default=dict, editable=False)
    labels = models.JSONField(default=dict, editable=False)
    words = models.JSONField(default=dict, editable=False, help_text="The labels as written, and their codes.")
    refused = models.JSONField(default=list, editable=False, help_text="[{row, file, reason}]")
    warnings = models.JSONField(default=list, editable=False)

    objects = DataSetQuerySet.as_manager()

    class Meta(LongJob.Meta):
        abstract = False
        ordering = ["-created", "-pk"]
        indexes = [models.Index(fields=["owner", "-created"], name="data_sets_of_a_person")]

    def __str__(self) -> str:
        return self.name

    @property
    def progress(self) -> str:
        if not self.total:
            return "Waiting for the import"
        fetches = self.wanted and not self.folder
        return f"{'Fetching from the ISIC Archive' if fetches else 'Decoding pictures'}: {super().progress}"

    @property
    def result(self) -> ImportResult:
        return ImportResult.model_validate(self.document)

    def label_name(self, code: str) -> str:
        if code in DIAGNOSES:
            return DIAGNOSES[code].name
        return str(self.labels.get(code, {}).get("name") or NAMES_BEYOND.get(code, code))

    @property
    def malignancy(self) -> dict[str, bool | None]:
        return {code: entry["malignant"] for code, entry in self.labels.items()}


class OnDataSetQuerySet(LongJobQuerySet):
    """Work on a data set."""

    def visible_to(self, user: Any) -> Self:
        """One's own, and what the owner of a published data set made of it."""
        return self.filter(Q(owner=user) | Q(data_set__published=True, owner=F("data_set__owner")))


class LabelledImage(models.Model):
    """One picture with its truth. Lesion and patient are empty where the owner names none."""

    data_set = models.ForeignKey(DataSet, models.CASCADE, related_name="images")
    name = models.CharField(max_length=200, help_text="Safe for files and tables: [A-Za-z0-9_.-].")
    file_name = models.CharField(max_length=500, help_text="As submitted: text from a stranger.")
    label = models.CharField(max_length=40)
    lesion = models.CharField(max_length=100, blank=True)
    patient = models.CharField(max_length=100, blank=True)
    age = models.FloatField(null=True, blank=True)
    sex = models.CharField(max_length=6, blank=True)
    site = models.CharField(max_length=40, blank=True)
    dx_type = models.CharField(max_length=60, blank=True)
    skin_type = models.CharField(max_length=3, blank=True)
    attribution = models.CharField(max_length=300, blank=True)
    licence = models.CharField(max_length=100, blank=True)
    pixels = models.FileField(max_length=200, help_text="PNG")
    thumbnail = models.FileField(max_length=200, help_text="WebP, at most 320 px")
    mask = models.FileField(max_length=200, blank=True, help_text="PNG of the same size, 1 bit: where the lesion is.")
    sha256 = models.CharField(max_length=64, help_text="Of the decoded pixels and their shape.")
    perceptual = models.CharField(max_length=16, help_text="64-bit perceptual hash, hexadecimal.")
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    changes = models.JSONField(default=list)

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["data_set", "name"], name="one_image_a_name")]
        indexes = [
            models.Index(fields=["data_set", "label", "id"], name="images_by_label"),
            models.Index(fields=["sha256"], name="images_by_pixels"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def unit(self) -> str:
        """What counts as one in statistics: the patient, the lesion, or the picture itself."""
        return f"p:{self.patient}" if self.patient else f"l:{self.lesion}" if self.lesion else f"i:{self.name}"
