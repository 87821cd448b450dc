"""A polite and careful visitor of an archive: one checked, limited, retried GET at a time."""

import io
import json
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from http.client import HTTPException
from threading import Timer
from typing import IO, Any
from urllib.parse import urljoin

import certifi
from urllib3 import BaseHTTPResponse
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError
from urllib3.util import Retry

from evaluation.isic_archive.addresses import Rules, Target
from evaluation.isic_archive.types import ArchiveError, Limits, Manners

CONNECT_S = 10
READ_S = 30
REDIRECTS = 5
RETRIES = 5
LONGEST_WAIT_S = 60
CHUNK_BYTES = 64 * 1024
AGENT = "Skinsite (research portal)"
REDIRECTED = frozenset({301, 302, 303, 307, 308})
LATER = frozenset({429, 500, 502, 503, 504})


class _TryAgain(Exception):
    """The server or the network failed in a way that may pass; `after` is in seconds."""

    def __init__(self, reason: str, after: float = 0) -> None:
        super().__init__(reason)
        self.after = after


class Visitor:
    """Asks the archive within the rules and within the time; the clock starts now."""

    def __init__(self, rules: Rules, limits: Limits, manners: Manners) -> None:
        self._rules = rules
        self._limits = limits
        self._manners = manners
        self._deadline = time.monotonic() + limits.seconds
        self._next_request = 0.0
        self._tls = ssl.create_default_context()
        self._tls.load_verify_locations(certifi.where())

    def page(self, url: str) -> Any:
        """Return the JSON at an address. Raises ArchiveError."""
        content = io.BytesIO()
        self.download(url, content, self._limits.page_bytes)
        try:
            return json.loads(content.getvalue())
        except (ValueError, RecursionError) as error:
            raise ArchiveError(
                "unexpected-answer", "The archive answered something that is no JSON. Check its address."
            ) from error

    def download(self, url: str, into: IO[bytes], limit: int) -> None:
        """Write what is at an address to an empty file, at most `limit` bytes of it. Raises ArchiveError."""
        for attempt in range(RETRIES + 1):
            into.seek(0)
            into.truncate()
            try:
                return self._attempt(url, into, limit)
            except _TryAgain as failure:
                reason = failure
            if attempt < RETRIES:
                self._wait(max(reason.after, self._manners.backoff_s * 2**attempt))
        raise ArchiveError("unreachable", f"The archive could not be asked ({reason}). Start again later.")

    def _attempt(self, url: str, into: IO[bytes], limit: int) -> None:
        for _ in range(REDIRECTS + 1):
            with self._answer(self._rules.target(url)) as response:
                if response.status not in REDIRECTED:
                    self._check_status(response)
                    return self._copy(response, into, limit)
                url = urljoin(url, response.headers.get("Location", ""))
        raise ArchiveError(
            "too-many-redirects", f"The archive redirects more than {REDIRECTS} times. Tell its operators."
        )

    @contextmanager
    def _answer(self, target: Target) -> Iterator[BaseHTTPResponse]:
        """Ask exactly the resolved address; at the deadline the connection is cut, whatever it waits for."""
        self._wait(max(0, self._next_request - time.monotonic()))
        with closing(self._connection(target)) as connection:
            with _network():
                connection.connect()
            connection.timeout = READ_S
            cut = Timer(self._left(), _cut, (connection.sock,))
            cut.daemon = True
            cut.start()
            try:
                with _network():
                    connection.request("GET", target.path, headers=_headers(target), preload_content=False)
                    response = connection.getresponse()
                with closing(response):
                    self._left()
                    yield response
            finally:
                cut.cancel()
                self._next_request = time.monotonic() + self._manners.gap_s

    def _connection(self, target: Target) -> HTTPConnection:
        if target.scheme == "http":
            return HTTPConnection(target.ip, target.port, timeout=CONNECT_S)
        return HTTPSConnection(
            target.ip, target.port, timeout=CONNECT_S, server_hostname=target.host, ssl_context=self._tls
        )

    def _check_status(self, response: BaseHTTPResponse) -> None:
        if response.status in LATER:
            raise _TryAgain(f"it answered {response.status}", _retry_after(response))
        if response.status != 200:
            advice = "Correct the query." if response.status == 400 else "Look at the archive's own pages."
            raise ArchiveError(f"answered-{response.status}", f"The archive answered {response.status}. {advice}")

    def _copy(self, response: BaseHTTPResponse, into: IO[bytes], limit: int) -> None:
        while chunk := self._chunk(response):
            if into.tell() + len(chunk) > limit:
                raise ArchiveError(
                    "too-large", f"What the archive sent is above the limit of {limit:,} bytes; it was left out."
                )
            into.write(chunk)

    def _chunk(self, response: BaseHTTPResponse) -> bytes:
        with _network():
            chunk = response.read1(CHUNK_BYTES, decode_content=False)
        self._left()  # an end that is ours looks like the server's
        return chunk

    def _wait(self, seconds: float) -> None:
        """Sleep. Raises ArchiveError, at once, when the time of the fetch would be over by then."""
        if seconds >= self._left():
            raise _out_of_time(self._limits)
        time.sleep(seconds)

    def _left(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise _out_of_time(self._limits)
        return left


@contextmanager
def _network() -> Iterator[None]:
    """Failures of the network may pass; those of the disk, outside of this, do not."""
    try:
        yield
    except (HTTPError, HTTPException, OSError) as error:
        raise _TryAgain(f"{type(error).__name__}: {error}") from error


def _cut(connection: socket.socket) -> None:
    """Wake whoever waits for a connection, encrypted or not."""
    with suppress(OSError):
        socket.socket.shutdown(connection, socket.SHUT_RDWR)


def _headers(target: Target) -> dict[str, str]:
    return {
        "Host": target.host if target.port in (80, 443) else f"{target.host}:{target.port}",
        "User-Agent": AGENT,
        "Accept-Encoding": "identity",
        "Connection": "close",
    }


def _retry_after(response: BaseHTTPResponse) -> float:
    """Return the seconds that the server asks for, 0 without a wish. Raises ArchiveError above the longest wait."""
    try:
        seconds = Retry().get_retry_after(response) or 0
    except HTTPError:
        return 0
    if seconds > LONGEST_WAIT_S:
        raise ArchiveError("busy", f"The archive is busy and asks to wait {seconds:.0f} s. Start again after that.")
    return seconds


def _out_of_time(limits: Limits) -> ArchiveError:
    return ArchiveError("out-of-time", f"The fetch was ended after its {limits.seconds:,.0f} s. Start again to go on.")
