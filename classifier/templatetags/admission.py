"""What the administration says about the isolation of admission."""

from django import template
from django.conf import settings

register = template.Library()


@register.simple_tag
def unconfined() -> bool:
    """Whether uploads may be opened without isolation on this server."""
    return bool(settings.SKINSITE_UNCONFINED_ADMISSION)
