"""Map checks: how far a model's heat maps can be trusted, measured on the pictures of a data set."""

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from classifier.models import ModelRecord
from classifier.models.model_record import batch_queue
from evaluation.documents.map_check import MapResult
from evaluation.models.data_set import DataSet, OnDataSetQuerySet
from skinsite.jobs import OPEN
from skinsite.jobs.long_job import LongJob


class MapCheckQuerySet(OnDataSetQuerySet):
    def visible_to(self, user: Any) -> Self:
        """Those at admission, too."""
        return super().visible_to(user) | self.at_admission()

    def changeable_by(self, user: Any) -> Self:
        """One's own; those at admission are the administrators'."""
        own = super().changeable_by(user)
        return own | self.at_admission() if user.is_administrator else own

    def at_admission(self) -> Self:
        return self.filter(data_set__isnull=True)


class MapCheck(LongJob):
    """`document` is a MapResult once it is done: what its page, its API answer and the model's card show.

    The check at admission has no data set and belongs to nobody: its pictures are drawn, see `drawn_pictures`.
    """

    task = "evaluation.check_maps"
    queue = batch_queue("model")
    page = "map_check"
    related = ("model", "data_set", "owner")
    limit = "OPEN_MAP_CHECKS_A_USER"
    crowded = "{limit} of your checks of heat maps may be open, and {count} are: wait or cancel one."

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="+")
    data_set = models.ForeignKey(DataSet, models.CASCADE, null=True, related_name="map_checks")
    model = models.ForeignKey(ModelRecord, models.CASCADE, related_name="map_checks")
    seed = models.PositiveIntegerField(default=0, help_text="Draws pictures and lesions.")
    busy_seconds = models.FloatField(default=0, editable=False, help_text="Spent by workers, all slices together.")

    objects = MapCheckQuerySet.as_manager()

    class Meta(LongJob.Meta):
        abstract = False
        constraints = [
            *LongJob.Meta.constraints,
            models.UniqueConstraint(
                fields=["owner", "model", "data_set"], condition=Q(state__in=OPEN), name="one_open_map_check_of_a_pair"
            ),
            models.UniqueConstraint(
                fields=["model"], condition=Q(data_set__isnull=True), name="one_map_check_at_admission_a_model"
            ),
            models.CheckConstraint(
                name="map_check_has_an_owner_exactly_with_a_data_set",
                condition=Q(owner__isnull=False, data_set__isnull=False) | Q(owner__isnull=True, data_set__isnull=True),
            ),
        ]
        indexes = [models.Index(fields=["state"], condition=Q(state__in=OPEN), name="open_map_checks")]

    def __str__(self) -> str:
        return f"Map check of {self.model} on {self.data_set or 'drawn pictures, at admission'}"

    @property
    def at_admission(self) -> bool:
        return self.data_set_id is None

    @property
    def drawn(self) -> bool:
        """Its pictures were drawn by a program."""
        return self.data_set is None or self.data_set.synthetic

    @property
    def result(self) -> MapResult:
        """What a finished check found."""
        return MapResult.model_validate(self.document)

    @property
    def open_already(self) -> str:
        return f"You have the maps of {self.model} checked on {self.data_set} already: wait for it or cancel it."

    @property
    def progress(self) -> str:
        stages = " steps: the maps, then networks with randomised weights, then changed pictures" if self.total else ""
        return super().progress + stages


class MapFigure(models.Model):
    """What is measured of one picture in one part of a check: kept, so that the next turn goes on behind it."""

    check_of = models.ForeignKey(MapCheck, models.CASCADE, related_name="figures")
    part = models.CharField(max_length=40, help_text="map, changes, or a randomised network.")
    image = models.PositiveBigIntegerField(help_text="The picture's number.")
    values = models.JSONField()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["check_of", "part", "image"], name="one_map_figure_a_part_and_picture")
        ]

    def __str__(self) -> str:
        return f"{self.part} of picture {self.image}"
