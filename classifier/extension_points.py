"""Named places on this app's pages that other apps fill with templates of their own, when Django is ready.

A filling gives the template its context, or None where it has nothing to say: `fill("passport", "…html", function)`.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

PLACES = frozenset({"passport", "passport-actions", "start", "card-results", "card-sections", "map-facts"})
"""`passport`, `passport-actions`: a model's page (`model`). `start`: the first page of a person. `card-results`: facts
for the front matter of a model's card (`model`): `{"results": [...]}` as in a Hugging Face model-index, no template.
`card-sections`: Markdown for the card's body (`model`): `{"text": "## …"}`, no template. `map-facts`: what is known
of a model's maps (`model`, the `way` they are made, the `person` who asks): `{"facts": [Fact, ...]}`, no template."""

Context = Callable[..., dict[str, Any] | None]


@dataclass(frozen=True)
class Filling:
    template: str
    context: Context


_fillings: dict[str, list[Filling]] = defaultdict(list)


def fill(place: str, template: str, context: Context) -> None:
    """Show a template in a place; `context(request, **objects)` is called with the place's objects."""
    if place not in PLACES:
        raise ValueError(f"There is no place named {place!r}; there are {', '.join(sorted(PLACES))}.")
    _fillings[place].append(Filling(template, context))


def contents(place: str, request: HttpRequest, **objects: Any) -> list[tuple[str, dict[str, Any]]]:
    """Return the templates of a place with their contexts, in the order in which they were filled in."""
    found = ((filling.template, filling.context(request, **objects)) for filling in _fillings[place])
    return [(template, context) for template, context in found if context is not None]


def facts(place: str, request: HttpRequest, **objects: Any) -> list[dict[str, Any]]:
    """Return what a place is told, for one that is no part of a page."""
    return [context for _template, context in contents(place, request, **objects)]
