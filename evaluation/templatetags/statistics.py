"""How numbers with intervals look, the same on every page."""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from classifier.templatetags.display import DASH, probability
from evaluation.documents.shapes import StoredNumber
from evaluation.metrics.number import Number
from skinsite.diagnoses import name_of

register = template.Library()


@register.filter
def number(value: Number | StoredNumber | None, decimals: int = 3) -> SafeString:
    """A value with its interval in lighter ink; undefined is a dash with its reason."""
    found = Number.of(value)
    if found.value is None:
        reason = found.note or "undefined"
        return format_html(
            '<span class="undefined" title="{}">{}<span class="visually-hidden"> ({})</span></span>',
            reason,
            DASH,
            reason,
        )
    shown, note = probability(found.value, decimals), found.note
    mark = (
        format_html('<span class="mark" title="{}">*<span class="visually-hidden"> {}</span></span>', note, note)
        if note
        else ""
    )
    if found.low is None or found.high is None:
        return format_html("<b>{}</b>{}", shown, mark)
    return format_html(
        '<b>{}</b>{} <span class="interval">{}–{}</span>',
        shown,
        mark,
        _end(found.low, decimals),
        _end(found.high, decimals),
    )


def _end(value: float, decimals: int) -> str:
    """An end of an interval: 1.000 and 0.000 stand for exactly 1 and 0."""
    least = 10.0**-decimals
    return f"{min(max(value, least), 1 - least) if 0 < value < 1 else value:.{decimals}f}"


@register.filter
def plain(value: float | None) -> str:
    return DASH if value is None else probability(value)


@register.filter
def signed(value: float | None) -> str:
    return DASH if value is None else f"{value:+.3f}"


@register.filter
def p_value(value: float | None) -> str:
    if value is None:
        return DASH
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


@register.filter
def dx_name(code: str) -> str:
    return name_of(code)


@register.filter
def shade(share: float) -> str:
    """The step (0 to 10) of a cell's colour."""
    return str(round(10 * share))
