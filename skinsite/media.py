"""The one way a private file reaches a browser: a fixed content type, never sniffed, in a page that can do nothing."""

from collections.abc import Iterable

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

CLOSED_POLICY = "default-src 'none'; sandbox"
WEEK_SECONDS = 7 * 24 * 3600


def serve(
    content: bytes | Iterable[bytes], *, content_type: str, download_as: str = "", immutable: bool = False
) -> HttpResponseBase:
    """Answer with a private file's content.

    `immutable` is for content that its address determines: the reader's own browser may keep it for a week.
    """
    response: HttpResponseBase
    if isinstance(content, bytes):
        response = HttpResponse(content, content_type=content_type)
    else:
        response = StreamingHttpResponse(content, content_type=content_type)
    response["Content-Security-Policy"] = CLOSED_POLICY
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = f"private, max-age={WEEK_SECONDS}, immutable" if immutable else "private, no-store"
    if download_as:
        response.headers["Content-Disposition"] = f'attachment; filename="{download_as}"'
    return response
