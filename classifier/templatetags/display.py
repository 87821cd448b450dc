"""How numbers, classes and icons look, the same on every page."""

import json
from collections.abc import Mapping
from typing import Any

from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

from classifier.markdown import render_markdown
from skinsite.diagnoses import DIAGNOSES

register = template.Library()
DASH = "–"


@register.filter
def probability(value: float | None, decimals: int = 3) -> str:
    """Three decimals, and never 1.000 for what is less: `> 0.999`."""
    if value is None:
        return DASH
    least = 10.0**-decimals
    if 1 - least / 2 <= value < 1:
        return f"> {1 - least:.{decimals}f}"
    if 0 < value < least / 2:
        return f"< {least:.{decimals}f}"
    return f"{value:.{decimals}f}"


@register.filter
def duration(milliseconds: float | None) -> str:
    """Milliseconds as a person reads them."""
    if milliseconds is None:
        return DASH
    if milliseconds < 1000:
        return f"{milliseconds:.0f} ms"
    return f"{milliseconds / 1000:.1f} s" if milliseconds < 10_000 else f"{milliseconds / 1000:.0f} s"


@register.filter
def percent_width(value: float | None) -> str:
    """A share in [0, 1] as the width of a bar."""
    return f"{100 * (value or 0):.2f}%"


@register.filter
def percent_number(value: float | None) -> str:
    """A share in [0, 1] as a number of 0 to 100."""
    return f"{100 * min(1.0, value or 0):.2f}"


@register.filter
def architecture_words(architecture: Mapping[str, Any]) -> str:
    """An architecture as a manifest has it, in one line."""
    rest = {name: value for name, value in architecture.items() if name not in ("family", "name", "layers")}
    layers = architecture.get("layers")
    what = architecture.get("name") or (f"{len(layers)} layers" if isinstance(layers, list) else "")
    more = f", {json.dumps(rest)}" if rest else ""
    return f"{architecture.get('family', '')} {what}{more}".strip()


@register.filter
def dx_class(code: str) -> str:
    """The CSS class that gives a diagnosis its colour; unknown codes get the hatch."""
    return f"dx-{code}" if code in DIAGNOSES else "dx-other"


@register.filter
def ordinal_place(position: int) -> str:
    ending = "th" if 10 <= position % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(position % 10, "th")
    return f"{position}{ending}"


@register.filter
def markdown(text: str) -> SafeString:
    return render_markdown(text)


@register.simple_tag
def icon(name: str) -> SafeString:
    """An icon of static/img/icons.svg; it decorates a text that says the same."""
    return format_html(
        '<svg class="icon" aria-hidden="true" focusable="false"><use href="{}#{}"/></svg>',
        static("img/icons.svg"),
        name,
    )


@register.simple_tag(takes_context=True)
def address(context: template.Context, **changes: Any) -> str:
    """The page's own address with other parameters; an empty value takes one away."""
    query = context["request"].GET.copy()
    for name, value in changes.items():
        query.pop(name.rstrip("_"), None)
        if value not in ("", None):
            query[name.rstrip("_")] = value
    return f"?{query.urlencode()}" if query else "?"
