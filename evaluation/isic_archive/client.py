"""A polite and careful HTTP client: one limited, retried GET at a time, of listed hosts only."""

import ssl
import time
from urllib.parse import urljoin, urlsplit

import requests
from urllib3.exceptions import HTTPError
from urllib3.util import Retry

from evaluation.isic_archive.types import ArchiveError

WAITS_S = (0.2, 1, 2, 4, 8, 16)  # before the first try and each further one
TIMEOUTS_S = (10, 30)  # to connect, and between two parts of an answer
REDIRECTS, LONGEST_ANSWER_S, LONGEST_WAIT_S = 5, 120, 60
HEADERS = {"User-Agent": "Skinsite (research portal)", "Accept-Encoding": "identity", "Connection": "close"}


class Client:
    """Asks `hosts` over https (over http where `base` is on this machine), without proxy, cookie and password."""

    def __init__(self, base: str, hosts: frozenset[str]) -> None:
        self._hosts = hosts
        self._local = urlsplit(base).hostname in {"localhost", "127.0.0.1", "::1"}
        self._adapter = requests.adapters.HTTPAdapter()
        self._adapter.init_poolmanager(1, 1, ssl_context=ssl.create_default_context())

    def get(self, url: str, limit: int) -> bytes:
        """Return what is at an address, at most `limit` bytes of it. Raises ArchiveError."""
        for wait in WAITS_S:
            time.sleep(wait)
            try:
                return self._attempt(url, limit)
            except (OSError, HTTPError) as failure:
                reason = getattr(next(iter(failure.args), None), "reason", failure)
        raise ArchiveError("unreachable", f"The archive could not be asked ({reason}). Start again later.")

    def _attempt(self, url: str, limit: int) -> bytes:
        for _ in range(REDIRECTS + 1):
            if not self._allowed(url):
                shown = url.rpartition("@")[2][:200]
                raise ArchiveError("not-listed", f"{shown!r} is no https address of a listed host. Ask the operator.")
            request = requests.Request("GET", url, headers=HEADERS).prepare()
            with self._adapter.send(request, stream=True, timeout=TIMEOUTS_S) as answer:
                if not answer.is_redirect:
                    return _content(answer, limit)
                url = urljoin(url, answer.headers["Location"])
        raise ArchiveError("redirects", f"The archive redirects more than {REDIRECTS} times. Tell its operators.")

    def _allowed(self, url: str) -> bool:
        """Whether an address may be asked: the first one, a redirect's, or one in an answer."""
        try:
            parts = urlsplit(url)
            safe = (parts.scheme, parts.port or 443) == ("https", 443) or self._local
        except ValueError:
            return False
        plain = url.isascii() and url.isprintable() and not set(url) & set(" \\@")  # read alike by every parser
        return plain and safe and parts.scheme in {"http", "https"} and parts.hostname in self._hosts


def _content(answer: requests.Response, limit: int) -> bytes:
    status, content, until = answer.status_code, bytearray(), time.monotonic() + LONGEST_ANSWER_S
    if status in {429, 500, 502, 503, 504}:
        if (after := Retry().get_retry_after(answer.raw) or 0) > LONGEST_WAIT_S:
            raise ArchiveError("busy", f"The archive is busy and asks to wait {after:.0f} s. Start again after that.")
        time.sleep(after)
        raise requests.HTTPError(f"it answered {status}")
    if status != 200:
        raise ArchiveError(f"answered-{status}", f"The archive answered {status}. Correct the query.")
    while chunk := answer.raw.read1(1 << 16, decode_content=False):
        content += chunk
        if len(content) > limit:
            raise ArchiveError("too-large", f"The archive sent more than the limit of {limit:,} bytes.")
        if time.monotonic() > until:
            raise TimeoutError(f"its answer took more than {LONGEST_ANSWER_S} s")
    return bytes(content)
