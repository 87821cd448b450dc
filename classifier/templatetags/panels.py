"""`{% panels "model-page" model=model %}` shows the panels of other apps at an extension point of a page."""

from typing import Any

from django import template
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe

from classifier import extension_points

register = template.Library()


@register.simple_tag(takes_context=True)
def panels(context: template.Context, name: str, **objects: Any) -> SafeString:
    request = context["request"]
    parts = [
        render_to_string(file, found | objects, request)
        for file, found in extension_points.panels(name, request, **objects)
    ]
    return mark_safe("".join(parts))  # noqa: S308 (each part is a rendered template)
