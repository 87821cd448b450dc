"""The frame of the API: its errors, its addresses and its description."""

import codecs
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.urls import URLPattern, URLResolver, path, re_path
from django.views.decorators.csrf import csrf_exempt
from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema

from skinsite.api.problems import MEDIA_TYPE, answer_with_problems, not_found, problem

View = Callable[..., HttpResponseBase]


class PortalAPI(NinjaAPI):
    """django-ninja with problem documents for every error, also for addresses and methods that do not exist."""

    def __init__(self, **options: Any) -> None:
        super().__init__(docs_url=None, openapi_url=None, **options)
        answer_with_problems(self)

    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:
        schema = super().get_openapi_schema(**options)
        for operations in schema["paths"].values():
            for operation in operations.values():
                _describe_problems(operation)
        return schema

    def _get_urls(self) -> list[URLResolver | URLPattern]:
        from skinsite.api.documentation import docs_page, openapi_json

        patterns: list[URLResolver | URLPattern] = [
            path("docs", docs_page, name="docs"),
            path("openapi.json", framed(openapi_json), name="openapi"),
        ]
        for router in self._get_bound_routers():
            for pattern in router.urls_paths(router.prefix):
                pattern.callback = framed(pattern.callback)
                patterns.append(pattern)
        unknown = framed(not_found)
        return [*patterns, path("", unknown, name="api-root"), re_path(r"^[\s\S]*$", unknown, name="unknown")]


def framed(view: View) -> View:
    """A view that needs no session and no CSRF token, reads UTF-8 only, and answers a wrong method with a problem."""

    @wraps(view)
    def in_frame(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not _is_utf8(request):
            return problem(422, "Send text in UTF-8: the charset in Content-Type names something else.")
        response = view(request, *args, **kwargs)
        if isinstance(response, HttpResponseNotAllowed):
            return problem(405, f"{request.method} is not possible here.", Allow=response["Allow"])
        return response

    return login_not_required(csrf_exempt(in_frame))


def _is_utf8(request: HttpRequest) -> bool:
    if not request.encoding:
        return True
    try:
        return codecs.lookup(request.encoding).name in ("utf-8", "ascii")
    except LookupError:
        return False


def _describe_problems(operation: dict[str, Any]) -> None:
    """Errors have a media type of their own."""
    for status, answer in operation["responses"].items():
        if int(status) >= 400 and "application/json" in answer.get("content", {}):
            answer["content"] = {MEDIA_TYPE: answer["content"]["application/json"]}
