"""The one sentence that stands under every result, on pages and in exports."""

from django.http import HttpRequest

DISCLAIMER = "Research and teaching. Not a diagnosis."


def for_templates(request: HttpRequest) -> dict[str, str]:
    """Give every template `{{ disclaimer }}`."""
    return {"disclaimer": DISCLAIMER}
