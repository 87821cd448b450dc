"""The description of the API: OpenAPI for programs, a page without scripts for people."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

from skinsite.api.access import Bearer, Session
from skinsite.api.problems import problem

Description = Mapping[str, Any]
"""A part of the OpenAPI document."""


@dataclass(frozen=True)
class Parameter:
    """One thing that a call takes; `place` is path, query, body or form."""

    name: str
    place: str
    type: str
    required: bool
    description: str


@dataclass(frozen=True)
class Answer:
    status: str
    description: str
    type: str


@dataclass(frozen=True)
class Call:
    method: str
    path: str
    anchor: str
    summary: str
    description: str
    administrators_only: bool
    parameters: list[Parameter]
    answers: list[Answer]


@dataclass(frozen=True)
class Thing:
    """An object of the answers."""

    name: str
    description: str
    fields: list[Parameter]


def openapi_json(request: HttpRequest) -> HttpResponse:
    """The OpenAPI document, with a session or a token."""
    if not (Session()(request) or Bearer()(request)):
        return problem(401, "Log in, or send a token.", WWW_Authenticate='Bearer realm="skinsite"')
    return JsonResponse(_schema())


@require_safe
@gzip_page
def docs_page(request: HttpRequest) -> HttpResponse:
    """The reference for people who are logged in."""
    schema = _schema()
    calls = [
        _call(method, path, operation)
        for path, operations in schema["paths"].items()
        for method, operation in operations.items()
    ]
    things = [_thing(name, details) for name, details in sorted(schema["components"]["schemas"].items())]
    return render(request, "api/docs.html", {"calls": calls, "things": things})


def _schema() -> Description:
    from skinsite.api import api

    return api.get_openapi_schema()


def _call(method: str, path: str, operation: Description) -> Call:
    answers = [
        Answer(str(status), details["description"], _content_type(details))
        for status, details in operation["responses"].items()
    ]
    return Call(
        method=method.upper(),
        path=path,
        anchor=operation["operationId"],
        summary=operation["summary"],
        description=operation.get("description", ""),
        administrators_only=any("AdministratorBearer" in entry for entry in operation.get("security", [])),
        parameters=[_parameter(entry) for entry in operation["parameters"]] + _body(operation),
        answers=answers,
    )


def _parameter(entry: Description) -> Parameter:
    description = entry.get("description", "")
    return Parameter(entry["name"], entry["in"], _type(entry["schema"]), entry["required"], description)


def _body(operation: Description) -> list[Parameter]:
    content = operation.get("requestBody", {}).get("content", {})
    return [
        field
        for media_type, details in content.items()
        for field in _fields(details["schema"], place="form" if "multipart" in media_type else "body")
    ]


def _fields(schema: Description, *, place: str) -> list[Parameter]:
    if "properties" not in schema:
        return [Parameter("", place, _type(schema), required=True, description="")]
    required = schema.get("required", [])
    return [
        Parameter(name, place, _type(details), name in required, details.get("description", ""))
        for name, details in schema["properties"].items()
    ]


def _thing(name: str, details: Description) -> Thing:
    return Thing(name, details.get("description", ""), _fields(details, place="") if "properties" in details else [])


def _content_type(answer: Description) -> str:
    for media_type, details in answer.get("content", {}).items():
        name = _type(details.get("schema", {}))
        return f"{media_type}: {name}" if name else media_type
    return ""


def _type(schema: Description) -> str:
    """Return a schema in a few words: `Case`, `list of string`, `number or null`."""
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", 1)[-1]
    if "anyOf" in schema:
        return " or ".join(filter(None, (_type(entry) for entry in schema["anyOf"])))
    if "enum" in schema:
        return " | ".join(str(value) for value in schema["enum"])
    kind = schema.get("type", "")
    if kind == "array":
        return f"list of {_type(schema.get('items', {}))}"
    if kind == "object" and isinstance(values := schema.get("additionalProperties"), dict):
        return f"object of {_type(values)}"
    return str(schema.get("format") or kind)
