"""Start one confined child, watch its time, memory and disk, and say how it ended. Nothing of it survives the call."""

import json
import math
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import IO, Any

from skinsite.sandbox import cgroups, confine, usage
from skinsite.sandbox.cgroups import Cgroup
from skinsite.sandbox.child import NOT_ISOLATED, OUT_OF_MEMORY, packages

CHILD = Path(__file__).with_name("child.py")
LOOK_EVERY_S = 0.05
CORES = 2
RESERVE = 2 * 1024**3  # memory that a framework may ask for and never touch
ADDRESSES = 6 * 1024**3  # what importing a framework maps, and room for it
TOLD_BYTES = 16_000
DIE_WITHIN_S = 5.0
PATIENCE = 4
STDERR_BYTES = 4000


class ExitReason(StrEnum):
    """How a child ended."""

    ANSWERED = "answered"
    TIME = "time"
    MEMORY = "memory"
    DISK = "disk"
    CRASHED = "crashed"
    NOT_ISOLATED = "not isolated"


REASONS = {
    -signal.SIGXCPU: ExitReason.TIME,
    OUT_OF_MEMORY: ExitReason.MEMORY,
    NOT_ISOLATED: ExitReason.NOT_ISOLATED,
}
"""What the status of a child says that did not answer."""


@dataclass(frozen=True)
class Limits:
    """Seconds of wall time, bytes of resident memory, bytes of all files written.

    Seconds in which the child waited for a core that others had are not counted, up to `PATIENCE` times the limit: a
    sound file is not refused because the machine is busy. `wall` are seconds that nothing prolongs.
    """

    seconds: float
    memory: int
    disk: int
    wall: float = math.inf


@dataclass(frozen=True)
class ChildResult:
    """`peak_memory` in bytes, `status` as of `subprocess` (negative: a signal), the end of what it wrote to stderr.

    `seconds` are wall time, `counted` those that the limit is for. `isolation` has a sentence for each measure taken
    before the file was seen; without isolation `stderr_tail` says why.
    """

    reason: ExitReason
    seconds: float
    counted: float
    peak_memory: int
    status: int
    stderr_tail: str
    isolation: tuple[str, ...] = ()


def run(
    task: str,
    *,
    request: Mapping[str, object],
    folder: Path,
    limits: Limits,
    readable: Sequence[Path] = (),
    descriptors: Sequence[int] = (),
    unconfined: bool = False,
) -> ChildResult:
    """Run `module:function` with the keywords of `request` in a confined child that may write only to `folder`.

    The child inherits the given open descriptors under their numbers; `readable` files and folders are added to what
    isolation leaves. It is killed at the first limit that it passes, and when this process dies.
    """
    group = cgroups.create(limits.memory)
    restrictions = confine.Restrictions(
        folder=str(folder.resolve()),
        readable=tuple(str(path.resolve()) for path in (*packages(), *readable)),
        processor_seconds=int(limits.seconds * CORES) + 1,
        memory=limits.memory + RESERVE,
        addresses=limits.memory + ADDRESSES,
        file_size=limits.disk,
        parent=os.getpid(),
        unconfined=unconfined,
        group=str(group.members) if group else "",
    )
    order = {"task": task, "request": request, "restrictions": asdict(restrictions)}
    try:
        with tempfile.TemporaryFile("w+") as orders, tempfile.TemporaryFile("w+b") as words:
            json.dump(order, orders)
            orders.flush()
            # A descriptor of its own: the child must not write where no limit looks.
            with (
                open(f"/proc/self/fd/{orders.fileno()}", "rb") as readable_orders,  # noqa: PTH123 (it has no path)
                _start(folder.resolve(), readable_orders, words, descriptors) as process,
            ):
                return _Watch(process, folder, limits, words, group).until_it_ends()
    finally:
        if group:
            group.remove()


def _start(folder: Path, orders: IO[bytes], words: IO[bytes], descriptors: Sequence[int]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 (our own interpreter and file)
        [sys.executable, "-I", "-B", str(CHILD)],
        stdin=orders,
        stdout=subprocess.PIPE,
        stderr=words,
        close_fds=True,
        pass_fds=tuple(descriptors),
        cwd=folder,
        env=_environment(folder),
        start_new_session=True,
    )


def _environment(folder: Path) -> dict[str, str]:
    """All that the child learns of its surroundings: no secret of the portal is in it."""
    return {
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "USER": "admission",
        "LOGNAME": "admission",
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "CUDA_VISIBLE_DEVICES": "",
        "HF_HUB_OFFLINE": "1",
        "KERAS_BACKEND": "tensorflow",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "OMP_NUM_THREADS": str(CORES),
        "OPENBLAS_NUM_THREADS": str(CORES),
        "MALLOC_ARENA_MAX": "2",
    }


class _Watch:
    """Looks at one child until it ends or passes a limit. The child is the guard's, whose process we started."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        folder: Path,
        limits: Limits,
        words: IO[bytes],
        group: Cgroup | None,
    ) -> None:
        self._process, self._folder, self._limits = process, folder, limits
        self._words, self._group = words, group
        self._channel = process.stdout
        self._started = time.monotonic()
        self._told = b""
        self._peak = 0
        self._waited = 0.0

    def until_it_ends(self) -> ChildResult:
        if self._channel is not None:
            os.set_blocking(self._channel.fileno(), False)
        passed = None
        try:
            while passed is None and self._process.poll() is None:
                self._listen()
                child = self._said("pid", 0)
                self._peak = max(self._peak, usage.resident(child))
                self._waited = max(self._waited, usage.waited(child))
                passed = self._passed_limit()
                time.sleep(LOOK_EVERY_S)
        finally:
            self._end()
        self._listen()
        reason = passed or self._passed_disk() or self._exit_reason(self._process.returncode)
        said = str(self._said("unavailable", ""))
        return ChildResult(
            reason,
            time.monotonic() - self._started,
            self._counted(),
            self._peak,
            self._process.returncode,
            said if reason is ExitReason.NOT_ISOLATED else _tail(self._words),
            tuple(self._said("isolation", [])),
        )

    def _listen(self) -> None:
        """Take what the child says of its isolation; it closes this way before it sees the file."""
        while self._channel and len(self._told) < TOLD_BYTES and (more := self._channel.read(TOLD_BYTES)):
            self._told += more

    def _said(self, name: str, default: Any) -> Any:
        lines = [json.loads(line) for line in self._told.splitlines(keepends=True) if line.endswith(b"\n")]
        return next((line[name] for line in lines if name in line), default)

    def _passed_limit(self) -> ExitReason | None:
        if self._peak > self._limits.memory:
            return ExitReason.MEMORY
        elapsed = time.monotonic() - self._started
        if self._counted() > self._limits.seconds or elapsed > self._limits.wall:
            return ExitReason.TIME
        return self._passed_disk(usage.held(self._said("pid", 0)))

    def _passed_disk(self, held: int = 0) -> ExitReason | None:
        """Asked once more when the child has ended: at what it wrote last nobody has looked."""
        written = usage.written(self._folder) + held + os.fstat(self._words.fileno()).st_size
        return ExitReason.DISK if written > self._limits.disk else None

    def _counted(self) -> float:
        return time.monotonic() - self._started - min(self._waited, PATIENCE * self._limits.seconds)

    def _end(self) -> None:
        """Kill the child and let its guard see it go; a guard that does not end is killed, and the child with it."""
        child = self._said("pid", 0)
        try:
            if child and self._process.poll() is None:
                os.kill(child, signal.SIGKILL)
                self._process.wait(DIE_WITHIN_S)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            pass
        finally:
            self._process.kill()
            self._process.wait()

    def _exit_reason(self, status: int) -> ExitReason:
        if status == 0:
            return ExitReason.ANSWERED
        if self._group and self._group.ran_out():
            return ExitReason.MEMORY
        return REASONS.get(status, ExitReason.CRASHED)


def _tail(words: IO[bytes]) -> str:
    size = words.seek(0, os.SEEK_END)
    words.seek(max(0, size - STDERR_BYTES))
    return words.read().decode(errors="replace")
