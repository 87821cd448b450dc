"""What shows that an attack got through: a secret that was opened, a file that code made, a port that was called."""

import ctypes
import os
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from classifier.admission.report import AdmissionResult
from tests.admission.attacks import Bait

IN_ACCESS, IN_OPEN, NON_BLOCKING = 1, 32, 0o4000


@dataclass(frozen=True)
class Canaries:
    """Everything that an attack is led to, and the kernel's own note of who opened the secret."""

    bait: Bait
    content: str
    watch: int
    listener: socket.socket

    def touched(self, result: AdmissionResult) -> list[str]:
        """The names of the canaries that an attack reached, from the last question to this one."""
        found = []
        if self.bait.marker.exists():
            found.append("code was executed")
        if self._opened():
            found.append("the secret was opened")
        if self.content in repr(result) or self.content.encode() in _bundle(result):
            found.append("the secret is in the answer")
        try:
            self.listener.accept()[0].close()
            found.append("a connection was made")
        except BlockingIOError:
            pass
        return found

    def _opened(self) -> bool:
        try:
            return bool(os.read(self.watch, 4096))
        except BlockingIOError:
            return False


@contextmanager
def canaries(folder: Path) -> Iterator[Canaries]:
    """Set the canaries out below a folder."""
    secret, marker, content = folder / "secret", folder / "marker", uuid.uuid4().hex
    secret.write_text(content)
    libc = ctypes.CDLL(None, use_errno=True)
    watch = libc.inotify_init1(NON_BLOCKING)
    if watch < 0 or libc.inotify_add_watch(watch, os.fsencode(secret), IN_ACCESS | IN_OPEN) < 0:
        raise OSError(ctypes.get_errno(), "no watch on the secret")
    try:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.setblocking(False)
            yield Canaries(Bait(secret, marker, listener.getsockname()[1]), content, watch, listener)
    finally:
        os.close(watch)


def _bundle(result: AdmissionResult) -> bytes:
    return b"".join(path.read_bytes() for path in result.bundle.iterdir()) if result.bundle else b""
