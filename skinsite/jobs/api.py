"""What the API of every long job has in common: list, read, cancel, retry and delete."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from ninja import Router, Schema, Status
from ninja.constants import NOT_SET
from pydantic import create_model

from skinsite.api.access import person_of
from skinsite.api.paging import page_of
from skinsite.api.parsing import row_id
from skinsite.api.problems import problems
from skinsite.jobs import actions
from skinsite.jobs.long_job import LongJob

Document = Callable[[Any], dict[str, Any]]


def job_router(
    kind: type[LongJob],
    *calls: str,
    shape: type[Schema],
    document: Document,
    in_list: Document | None = None,
    delete: Callable[[Any], object] = actions.delete,
    auth: Any = NOT_SET,
) -> Router:
    """Return the router of a kind of work with those of these calls that it has.

    `shape` describes what `document` makes of a row; `in_list` does without the row's own document, where it is large.
    """
    names, rows = str(kind._meta.verbose_name_plural), kind.objects.select_related(*kind.related)

    def listed(request: HttpRequest, cursor: str = "") -> Any:
        """Newest first."""
        visible = rows.visible_to(person_of(request))
        found, following = page_of(
            visible.defer("document") if in_list else visible, cursor, reverse(f"api:{kind.page}s")
        )
        return {"items": [(in_list or document)(row) for row in found], "next": following}

    def get(request: HttpRequest, id: str) -> Any:
        return document(get_object_or_404(rows.visible_to(person_of(request)), pk=row_id(id)))

    def cancel(request: HttpRequest, id: str) -> Any:
        return changed(request, id, actions.cancel)

    def retry(request: HttpRequest, id: str) -> Any:
        """What is there already is not computed again."""
        return changed(request, id, actions.retry)

    def changed(request: HttpRequest, id: str, change: Callable[[Any], None]) -> Any:
        change(changeable(request, id))
        return Status(202, get(request, id))

    def remove(request: HttpRequest, id: str) -> Any:
        """With everything that hangs on it."""
        delete(changeable(request, id))
        return Status(204, None)

    def changeable(request: HttpRequest, id: str) -> Any:
        return get_object_or_404(rows.changeable_by(person_of(request)), pk=row_id(id))

    def offer(call: str, method: str, path: str, view: Any, answer: Any, summary: str, name: str | None = None) -> None:
        if call in calls:
            known_as = {"list": f"list_{names}", "get": f"get_{kind._meta.verbose_name}"}.get(call, call)
            known_as = f"{kind._meta.app_label}_api_{names}_{known_as}".replace(" ", "_")
            described = {"response": answer | errors, "summary": summary, "url_name": name, "operation_id": known_as}
            router.add_api_operation(path, [method], view, **described)

    router = Router(tags=[names], auth=auth)
    errors = problems(401, 404, 422, 429) | (problems(403) if auth is not NOT_SET else {})
    fields: Any = {"items": (list[shape], ...), "next": (str | None, ...)}  # type: ignore[valid-type]
    list_shape = create_model(f"{shape.__name__}List", __base__=Schema, **fields)
    changes = {202: shape} | problems(409)
    offer("list", "GET", "", listed, {200: list_shape}, f"List {names}", f"{kind.page}s")
    offer("get", "GET", "/{id}", get, {200: shape}, f"One {kind._meta.verbose_name}", kind.page)
    offer("cancel", "POST", "/{id}/cancel", cancel, changes, "Cancel")
    offer("retry", "POST", "/{id}/retry", retry, changes, "Try again")
    offer("delete", "DELETE", "/{id}", remove, {204: None}, "Delete")
    return router


def accepted(response: HttpResponse, job: LongJob, document: Document) -> Any:
    """The answer to whoever started it: where it will be."""
    response["Location"] = reverse(f"api:{job.page}", args=[job.pk])
    return Status(202, document(job))
