"""Named points of this app that other apps extend with panels of their own, when Django is ready.

An extension gives its template a context, or None where it has nothing to say: `extend("start", "…html", function)`.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

POINTS = frozenset({"model-page", "model-page-actions", "start", "card-results", "card-sections", "map-facts"})
"""`model-page`, `model-page-actions`: a model's page (`model`). `start`: the first page of a person. `card-results`:
facts for the front matter of a model's card (`model`): `{"results": [...]}` as in a Hugging Face model-index, no
template. `card-sections`: Markdown for the card's body (`model`): `{"text": "## …"}`, no template. `map-facts`: what
is known of a model's maps (`model`, the `way` they are made, the `person`): `{"facts": [Fact, ...]}`, no template."""

Context = dict[str, Any]


@dataclass(frozen=True)
class Extension:
    template: str
    context: Callable[..., Context | None]


_extensions: dict[str, list[Extension]] = defaultdict(list)


def extend(point: str, template: str, context: Callable[..., Context | None]) -> None:
    """Show a template at a point; `context(request, **objects)` is called with the point's objects."""
    if point not in POINTS:
        raise ValueError(f"There is no extension point {point!r}; there are {', '.join(sorted(POINTS))}.")
    _extensions[point].append(Extension(template, context))


def panels(point: str, request: HttpRequest, **objects: Any) -> list[tuple[str, Context]]:
    """Return the templates of a point with their contexts, in the order of their registration."""
    found = ((extension.template, extension.context(request, **objects)) for extension in _extensions[point])
    return [(template, context) for template, context in found if context is not None]


def facts(point: str, request: HttpRequest, **objects: Any) -> list[Context]:
    """Return what extensions tell at a point that is no part of a page."""
    return [context for _template, context in panels(point, request, **objects)]
