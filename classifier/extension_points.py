"""Named places on this app's pages that other apps fill with templates of their own, when Django is ready.

A filling gives the template its context, or None where it has nothing to say: `fill("passport", "…html", function)`.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

PLACES = frozenset({"passport", "passport-actions", "start", "card-results", "card-sections", "map-facts"})
"""`passport`, `passport-actions`: a model's page (`model`). `start`: the first page of a person. No template have
`card-results`: a list for the front matter of a model's card (`model`), as in a Hugging Face model-index;
`card-sections`: Markdown for its body (`model`); `map-facts`: a list of Fact about a model's maps (`model`, the `way`
they are made, the `person` who asks)."""

Context = Callable[..., Any]


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


def contents(place: str, request: HttpRequest, **objects: Any) -> list[tuple[str, Any]]:
    """Return the templates of a place with their contexts, in the order in which they were filled in."""
    found = ((filling.template, filling.context(request, **objects)) for filling in _fillings[place])
    return [(template, context) for template, context in found if context is not None]


def facts(place: str, request: HttpRequest, **objects: Any) -> list[Any]:
    """Return what each app says in a place that is no part of a page."""
    return [context for _template, context in contents(place, request, **objects)]
