"""A person's cases, page by page, as quick at the end of a long history as at its beginning.

Nothing here counts all rows: a page is the rows after (or before) a cursor that holds the last row's place in the
order. A condition on predictions is asked in one of two ways: few matching predictions are gathered first, many are
looked up case by case until the page is full.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, Expression, F, OuterRef, Prefetch, Q, QuerySet
from django.db.models.functions import Lower

from classifier.models import Case, CaseImage, Explanation, ModelRecord, Prediction
from skinsite.jobs import OPEN, State
from skinsite.refusal import Problem, Refusal

PAGE_SIZE = 25
FEW = 10_000


@dataclass(frozen=True)
class Sorting:
    """An order of cases: by `key`, cases with the same key by their number, in the same direction."""

    name: str
    label: str
    key: Expression | F
    descending: bool

    def value(self, case: Case) -> str:
        """The key of one case, as text."""
        return case.created.isoformat() if self.by_date else case.title.lower()

    def parsed(self, text: str) -> Any:
        return datetime.fromisoformat(text) if self.by_date else text

    @property
    def by_date(self) -> bool:
        return isinstance(self.key, F)


SORTINGS: Mapping[str, Sorting] = {
    sorting.name: sorting
    for sorting in (
        Sorting("newest", "newest first", F("created"), descending=True),
        Sorting("oldest", "oldest first", F("created"), descending=False),
        Sorting("title", "title, A to Z", Lower("title"), descending=False),
        Sorting("-title", "title, Z to A", Lower("title"), descending=True),
    )
}


def sorting(name: str) -> Sorting:
    return SORTINGS.get(name, SORTINGS["newest"])


@dataclass(frozen=True)
class Cursor:
    """A place between two cases of an order, and the direction in which to read from it."""

    value: str
    pk: int
    backwards: bool

    @classmethod
    def at(cls, case: Case, order: Sorting, *, backwards: bool) -> "Cursor":
        return cls(order.value(case), case.pk, backwards)

    @property
    def text(self) -> str:
        """The cursor as it stands in an address."""
        return base64.urlsafe_b64encode(json.dumps([self.value, self.pk, self.backwards]).encode()).decode().rstrip("=")

    @classmethod
    def read(cls, text: str, order: Sorting) -> "Cursor":
        """Raises Refusal for a text that is no cursor of this order."""
        try:
            value, pk, backwards = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
            order.parsed(value)
            if not (isinstance(value, str) and type(pk) is int and 0 <= pk < 2**63 and isinstance(backwards, bool)):
                raise ValueError(text)
        except (ValueError, TypeError) as error:
            message = "This is no cursor of this list: take the one that the page before gave."
            raise Refusal(Problem("cursor", message)) from error
        return cls(value, pk, backwards)


@dataclass(frozen=True)
class Page:
    """Some cases in their order; `next` and `previous` are cursors, empty where nothing follows."""

    cases: list[Case]
    next: str
    previous: str


def page_of_cases(*, cases: QuerySet[Case], sort: str = "newest", cursor: str = "", size: int = PAGE_SIZE) -> Page:
    """Return `size` of the cases, with images, predictions and models; the number of queries is constant.

    Raises Refusal for a cursor that cannot be read.
    """
    order = sorting(sort)
    place = Cursor.read(cursor, order) if cursor else None
    backwards = place is not None and place.backwards
    found = list(with_answers(_from(cases, order, place))[: size + 1])
    more, found = len(found) > size, found[:size]
    if backwards:
        found.reverse()
    ahead, behind = (place is not None, more) if backwards else (more, place is not None)
    return Page(
        cases=found,
        next=Cursor.at(found[-1], order, backwards=False).text if found and ahead else "",
        previous=Cursor.at(found[0], order, backwards=True).text if found and behind else "",
    )


def with_answers(cases: QuerySet[Case]) -> QuerySet[Case]:
    """Fetch images, predictions, models and explanations along, without their big fields."""
    models = ModelRecord.objects.defer("card", "report", "measured")
    predictions = Prediction.objects.defer("provenance").order_by("pk")
    return cases.prefetch_related(
        Prefetch("images", CaseImage.objects.order_by("position")),
        Prefetch("images__predictions", predictions),
        Prefetch("images__predictions__model", models),
        Prefetch("images__predictions__explanations", Explanation.objects.defer("maps").order_by("pk")),
    )


def having(**conditions: Any) -> Q:
    """The cases that have a prediction like this."""
    matching = Prediction.objects.filter(**conditions).order_by()
    if matching[: FEW + 1].count() > FEW:
        return Q(_case_by_case(matching))
    return Q(pk__in=matching.values("image__case"))


def in_state(state: str) -> Q:
    """The cases whose derived state (see `case_state`) is `state`."""
    if state == State.RUNNING:
        return having(state__in=OPEN)
    above = {State.DONE: [*OPEN], State.FAILED: [*OPEN, State.DONE], State.CANCELLED: [*OPEN, State.DONE, State.FAILED]}
    if state not in above:
        return Q(pk__in=[])
    return having(state=state) & ~Q(_case_by_case(Prediction.objects.filter(state__in=above[State(state)])))


def _case_by_case(matching: QuerySet[Prediction]) -> Exists:
    """Whether a case has one of these; nested, so that a planner without statistics begins at the case's images."""
    of_image = Exists(matching.filter(image=OuterRef("pk")))
    return Exists(CaseImage.objects.filter(of_image, case=OuterRef("pk")))


def _from(cases: QuerySet[Case], order: Sorting, place: Cursor | None) -> QuerySet[Case]:
    """The cases in their order (reversed for a cursor that reads backwards), after the cursor's place."""
    backwards = place is not None and place.backwards
    descending = order.descending != backwards
    cases = cases.alias(sort_key=order.key)
    if place is not None:
        key = order.parsed(place.value)
        side = "lt" if descending else "gt"
        cases = cases.filter(**{f"sort_key__{side}e": key}).filter(
            Q(**{f"sort_key__{side}": key}) | Q(**{f"pk__{side}": place.pk})
        )
    return cases.order_by("-sort_key", "-pk") if descending else cases.order_by("sort_key", "pk")
