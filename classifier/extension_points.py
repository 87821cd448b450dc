"""Named points of this app that other apps extend with panels of their own, when Django is ready.

An extension gives its template a context, or None where it has nothing to say: `extend("start", "…html", function)`.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

POINTS = frozenset({"model-page", "model-page-actions", "start", "card-results", "card-sections", "map-facts"})
"""`model-page`, `model-page-actions`: a model's page (`model`). `start`: the first page of a person. Points of `facts`,
without templates: `card-results`, a list for the front matter of a model's card (`model`) as in a Hugging Face
model-index; `card-sections`, Markdown for its body (`model`); `map-facts`, a list of Fact about a model's maps
(`model`, the explanation `method`, the `person`)."""

Context = Callable[..., Any]


@dataclass(frozen=True)
class Extension:
    template: str
    context: Context


_extensions: dict[str, list[Extension]] = defaultdict(list)


def extend(point: str, template: str, context: Context) -> None:
    """Show a template at a point; `context(request, **objects)` is called with the point's objects."""
    if point not in POINTS:
        raise ValueError(f"There is no extension point {point!r}; there are {', '.join(sorted(POINTS))}.")
    _extensions[point].append(Extension(template, context))


def panels(point: str, request: HttpRequest, **objects: Any) -> list[tuple[str, Any]]:
    """Return the templates of a point with their contexts, in the order of their registration."""
    found = ((extension.template, extension.context(request, **objects)) for extension in _extensions[point])
    return [(template, context) for template, context in found if context is not None]


def facts(point: str, request: HttpRequest, **objects: Any) -> list[Any]:
    """Return what each extension tells at a point that is no part of a page."""
    return [context for _template, context in panels(point, request, **objects)]
