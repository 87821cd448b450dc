"""The one sentence that stands under every result: in exports, and as `{% disclaimer %}` in every template."""

from django.template import Library

DISCLAIMER = "Research and teaching. Not a diagnosis."
register = Library()


@register.simple_tag
def disclaimer() -> str:
    return DISCLAIMER
