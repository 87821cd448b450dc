"""What comes in through the API: JSON that a database can keep, ids that are no adventure."""

from typing import Annotated, Any

from django.http import Http404, HttpRequest
from ninja.parser import Parser
from pydantic import AfterValidator

from skinsite.strict_json import strict_json, usable_text

LONGEST_ID = 18
"""Digits; every such number fits the database's 64 bits."""


def row_id(text: str) -> int:
    """Return the number behind an opaque id; Http404 for a text that is none of ours."""
    if not (text.isascii() and text.isdigit() and len(text) <= LONGEST_ID):
        raise Http404(text)
    return int(text)


class StrictParser(Parser):
    def parse_body(self, request: HttpRequest) -> Any:
        return strict_json(request.body)


Text = Annotated[str, AfterValidator(usable_text)]
