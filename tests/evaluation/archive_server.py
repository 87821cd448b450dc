"""A small archive on this machine: it speaks the ISIC Archive's API and misbehaves on demand."""

import json
import ssl
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

API = "/api/v2/images/"
JPEG = b"\xff\xd8\xff\xe0"
LICENCES = ("CC-0", "CC-BY", "CC-BY-NC")

Answer = Callable[[BaseHTTPRequestHandler], None]


class Archive(ThreadingHTTPServer):
    """`asked` lists what was asked in its order; `instead` holds answers that are given to one request, once each."""

    daemon_threads = True

    def __init__(self, images: int, page_images: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.page_images = page_images
        self.results = [self.result(number) for number in range(images)]
        self.asked: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.instead: defaultdict[str, deque[Answer]] = defaultdict(deque)

    def result(self, number: int) -> dict[str, Any]:
        isic_id = f"ISIC_{number:07d}"
        return {
            "isic_id": isic_id,
            "attribution": "=Hospital, with a comma",
            "copyright_license": LICENCES[number % len(LICENCES)],
            "files": {"full": {"url": f"{self.url}/files/{isic_id}.jpg", "size": 1}},
            "metadata": {
                "clinical": {"age_approx": 40 + number, "diagnosis_1": "Benign", "melanocytic": True},
                "acquisition": {"image_type": "dermoscopic", "pixels_x": 600},
            },
        }

    def file(self, isic_id: str) -> bytes:
        return JPEG + isic_id.encode() * 10

    def page(self, query: dict[str, list[str]]) -> dict[str, Any]:
        """One page; as in the real archive, only the first one has a count."""
        start = int(query.get("cursor", ["0"])[0])
        end = start + self.page_images
        following = f"{self.url}{API}search/?{urlencode({'cursor': end, 'limit': 100})}"
        return {
            "count": None if start else len(self.results),
            "next": following if end < len(self.results) else None,
            "previous": None,
            "results": self.results[start:end],
        }

    def files_asked(self) -> list[str]:
        return [path.removeprefix("/files/")[:12] for path in self.asked if path.startswith("/files/")]


class _Handler(BaseHTTPRequestHandler):
    server: Archive

    def do_GET(self) -> None:
        path = urlsplit(self.path)
        self.server.asked.append(self.path)
        self.server.headers.append(dict(self.headers))
        if waiting := self.server.instead[self.path]:
            waiting.popleft()(self)
        elif path.path in (API, f"{API}search/"):
            send(self, json.dumps(self.server.page(parse_qs(path.query))).encode())
        else:
            send(self, self.server.file(path.path.removeprefix("/files/").removesuffix(".jpg")))

    def log_message(self, *arguments: object) -> None:
        pass


def send(request: BaseHTTPRequestHandler, body: bytes, status: int = 200, **headers: str) -> None:
    request.send_response(status)
    for name, value in ({"Content_Length": str(len(body))} | headers).items():
        request.send_header(name.replace("_", "-"), value)
    request.end_headers()
    request.wfile.write(body)


def status(code: int, **headers: str) -> Answer:
    return lambda request: send(request, b"", code, **headers)


def body(content: bytes) -> Answer:
    return lambda request: send(request, content)


def listing(content: Any) -> Answer:
    return body(json.dumps(content).encode())


def cut_short(request: BaseHTTPRequestHandler) -> None:
    """Promise a thousand bytes and hang up after a few."""
    send(request, JPEG, Content_Length="1000")


def endless(request: BaseHTTPRequestHandler) -> None:
    """Say ten bytes, and send until the other side has enough."""
    request.protocol_version = "HTTP/1.1"
    request.send_response(200)
    request.send_header("Content-Length", "10")
    request.send_header("Transfer-Encoding", "chunked")
    request.end_headers()
    try:
        for _ in range(1000):
            request.wfile.write(b"10000\r\n" + JPEG * 0x4000 + b"\r\n")
    except OSError:
        request.close_connection = True


def drip(request: BaseHTTPRequestHandler) -> None:
    """Send a body that does not end, a byte at a time."""
    request.send_response(200)
    request.end_headers()
    try:
        for _ in range(500):
            request.wfile.write(b"x")
            time.sleep(0.02)
    except OSError:
        request.close_connection = True


@contextmanager
def running(images: int = 5, page_images: int = 2, tls: ssl.SSLContext | None = None) -> Iterator[Archive]:
    """An archive that answers in threads of its own."""
    with Archive(images, page_images) as archive:
        if tls:
            archive.socket = tls.wrap_socket(archive.socket, server_side=True)
        thread = Thread(target=archive.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield archive
        finally:
            archive.shutdown()
            thread.join()
