"""Lists by pages: the newest first, the cursor is the number of the last row of the page before."""

from typing import Any

from django.db.models import QuerySet

from skinsite.refusal import Problem, Refusal

PAGE = 50


def page_of(rows: QuerySet[Any], cursor: str, address: str) -> tuple[list[Any], str | None]:
    """Return a page of rows and the address of the next one, or None. Raises Refusal for a cursor that is none."""
    rows = rows.order_by("-pk")
    if cursor:
        if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= 18):
            message = "This is no cursor of this list: take the one that the page before gave."
            raise Refusal(Problem("cursor", message))
        rows = rows.filter(pk__lt=int(cursor))
    found = list(rows[: PAGE + 1])
    more = len(found) > PAGE
    return found[:PAGE], f"{address}?cursor={found[PAGE - 1].pk}" if more else None
