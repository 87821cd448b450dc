"""LongJob: work of one person that takes minutes, shows how far it is, and gives way to people."""

from typing import Any, ClassVar, Self

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import models
from django.db.models import Exists, OuterRef
from django.urls import reverse

from skinsite.jobs.state import OPEN, Job, JobQuerySet, State


class LongJobQuerySet(JobQuerySet):
    def visible_to(self, user: Any) -> Self:
        return self.filter(owner=user)

    def changeable_by(self, user: Any) -> Self:
        return self.filter(owner=user)

    def due(self) -> Self:
        """Where people take turns with themselves, the oldest open one of each person comes first."""
        waiting = super().due()
        if not self.model.one_at_a_time:
            return waiting
        earlier = self.model.objects.filter(owner=OuterRef("owner"), state__in=OPEN, pk__lt=OuterRef("pk"))
        return waiting.filter(~Exists(earlier))

    def in_short(self) -> Self:
        """As a list shows them: without their documents, which may be hundreds of kilobytes."""
        return self.select_related(*self.model.related).defer("document")


class LongJob(Job):
    """`done` of `total` steps; `document` is what its page and its API answer show of the result.

    To add a kind of work: a subclass with its `task` and `page`, a TimeSlice that does the work, a task that runs it.
    """

    page: ClassVar[str]
    """The name of its page's address; its list, progress, cancel, retry and delete are named after it."""
    related: ClassVar[tuple[str, ...]] = ("owner",)
    """What its page shows of other rows."""
    takes_along: ClassVar[tuple[str, ...]] = ()
    """The other work that goes when it is deleted."""
    one_at_a_time: ClassVar[bool] = False
    """Whether a person's second one waits until the first has ended."""
    limit: ClassVar[str] = ""
    """The setting that says how many of a person may be open, or may wait beside the one that runs."""
    crowded: ClassVar[str] = ""
    """What is said above it, of `limit` and `count`."""
    page_size: ClassVar[int] = 40
    """How many a page of its list shows."""
    unit: ClassVar[str] = "Steps"
    """What is counted."""

    owner: "models.ForeignKey[Any, Any]" = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    total = models.PositiveIntegerField(default=0, editable=False, help_text="Steps, as far as they are known.")
    done = models.PositiveIntegerField(default=0, editable=False)
    begun_at = models.DateTimeField(null=True, editable=False)
    document = models.JSONField(default=dict, editable=False)

    class Meta(Job.Meta):
        abstract = True
        ordering = ["-pk"]

    def get_absolute_url(self) -> str:
        return reverse(self.page, args=[self.pk])

    @property
    def shown_state(self) -> str:
        """A row that waits for its next turn is running for the person who looks at it."""
        return State.RUNNING if self.state == State.QUEUED and self.begun_at else self.state

    @property
    def progress(self) -> str:
        """How far it is, in words."""
        return f"{self.done:,} of {self.total:,}" if self.total else "Waiting for a worker"

    def room_for(self) -> str:
        if self.owner_id is None or not self.limit:
            return ""
        get_user_model().objects.select_for_update().get(pk=self.owner_id)
        limit: int = getattr(settings, self.limit)
        count = type(self).objects.filter(owner=self.owner_id, state__in=OPEN).count()
        return self.crowded.format(limit=limit, count=count) if count >= limit + self.one_at_a_time else ""

    def behind(self) -> Any:
        rows = type(self).objects
        return rows.filter(owner=self.owner_id) if self.one_at_a_time else rows.none()
