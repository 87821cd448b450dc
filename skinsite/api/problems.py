"""Every error of the API is a problem document (RFC 9457): what happened, to which field, and what to do."""

import logging
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from django.core.exceptions import (
    BadRequest,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    TooManyFieldsSent,
    TooManyFilesSent,
)
from django.http import Http404, HttpRequest, JsonResponse
from django.http.multipartparser import MultiPartParserError
from django.http.request import UnreadablePostError
from ninja import NinjaAPI, Schema
from ninja.errors import HttpError, ValidationError

from skinsite.refusal import Conflict, Refusal
from skinsite.refusal import Problem as FieldProblem

logger = logging.getLogger(__name__)
MEDIA_TYPE = "application/problem+json"
PYDANTIC_PREFIX = "Value error, "


class FieldError(Schema):
    """One thing that is wrong; `field` is empty where it concerns the whole request."""

    field: str
    message: str


class ProblemDocument(Schema):
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldError]


class TooLarge(Exception):
    """The request's body is above a limit, which the message names; the API answers 413."""


def problems(*statuses: int) -> dict[int, type[ProblemDocument]]:
    """Return the part of an operation's `response` that declares these errors."""
    return dict.fromkeys(statuses, ProblemDocument)


def problem(status: int, detail: str, errors: Iterable[FieldProblem] = (), **headers: str) -> JsonResponse:
    """Answer with a problem document; underscores in the names of headers become hyphens."""
    document = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "errors": [vars(error) for error in errors],
    }
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return JsonResponse(document, status=status, content_type=MEDIA_TYPE, headers=named)


def not_found(request: HttpRequest, *args: Any, **kwargs: Any) -> JsonResponse:
    return problem(404, "There is nothing at this address, or it is somebody else's.")


def _unauthorised(message: str) -> JsonResponse:
    return problem(401, message, WWW_Authenticate='Bearer realm="skinsite"')


def _on_http_error(request: HttpRequest, error: HttpError) -> JsonResponse:
    if error.status_code == 401:
        return _unauthorised("This call needs a valid token: Authorization: Bearer TOKEN.")
    if error.status_code == 429:
        return problem(429, "Too many requests: wait for as long as Retry-After says.")
    if error.status_code == 400:
        return problem(422, "The request's body cannot be read as JSON.", [FieldProblem("", error.message)])
    return problem(error.status_code, error.message)


def _on_validation_error(request: HttpRequest, error: ValidationError) -> JsonResponse:
    found = [FieldProblem(_field(entry["loc"]), _sentence(entry["msg"])) for entry in error.errors]
    return problem(422, _summary(found), found)


def _field(location: tuple[Any, ...]) -> str:
    """Return `manifest.name` for ("body", "payload", "manifest", "name"): neither source nor parameter is a field."""
    parts = [str(part) for part in location[1:]]
    if location[0] == "body" and len(parts) > 1:
        parts = parts[1:]
    return ".".join(parts)


def _sentence(message: str) -> str:
    return message.removeprefix(PYDANTIC_PREFIX)


def _summary(found: list[FieldProblem]) -> str:
    return " ".join(f"{error.field}: {error.message}" if error.field else error.message for error in found)


def _on_refusal(request: HttpRequest, refusal: Refusal) -> JsonResponse:
    return problem(422, " ".join(entry.message for entry in refusal.problems), refusal.problems)


def _on_conflict(request: HttpRequest, conflict: Conflict) -> JsonResponse:
    return problem(409, str(conflict))


def _on_too_large(request: HttpRequest, error: Exception) -> JsonResponse:
    return problem(413, str(error) or "The request is too large.")


def _on_unreadable(request: HttpRequest, error: Exception) -> JsonResponse:
    return problem(422, "The request's body cannot be read: check its Content-Type, its boundary and its length.")


def _on_forbidden(request: HttpRequest, error: Exception) -> JsonResponse:
    return problem(403, str(error) or "Only an administrator may do this.")


def _on_unexpected(request: HttpRequest, error: Exception) -> JsonResponse:
    logger.exception("Unexpected error at %s %s", request.method, request.path, exc_info=error)
    return problem(500, "Something went wrong on our side. It is in the log.")


def answer_with_problems(api: NinjaAPI) -> None:
    """Give every kind of exception its problem document."""
    handlers: dict[type[Exception], Any] = {
        Exception: _on_unexpected,
        Http404: not_found,
        HttpError: _on_http_error,
        ValidationError: _on_validation_error,
        Refusal: _on_refusal,
        Conflict: _on_conflict,
        PermissionDenied: _on_forbidden,
        TooLarge: _on_too_large,
        RequestDataTooBig: _on_too_large,
        TooManyFieldsSent: _on_too_large,
        TooManyFilesSent: _on_too_large,
        SuspiciousOperation: _on_unreadable,
        BadRequest: _on_unreadable,
        MultiPartParserError: _on_unreadable,
        UnreadablePostError: _on_unreadable,
    }
    for kind, handler in handlers.items():
        api.add_exception_handler(kind, handler)
