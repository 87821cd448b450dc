"""Start one confined child, watch its time, memory and disk, and say how it ended. Nothing of it survives the call."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import IO, Any

from classifier.admission import confinement
from classifier.admission.child import OUT_OF_MEMORY

CHILD = Path(__file__).with_name("child.py")
PACKAGES = (Path(__file__).parents[1], Path(__file__).parents[2] / "skinsite")
LOOK_EVERY_S = 0.05
CORES = 2
RESERVE = 2 * 1024**3  # memory that a framework may ask for and never touch
LAST_WORDS = 4000


class Ending(StrEnum):
    """How a child ended."""

    ANSWERED = "answered"
    TIME = "time"
    MEMORY = "memory"
    DISK = "disk"
    CRASHED = "crashed"


@dataclass(frozen=True)
class Limits:
    """Seconds of wall time, bytes of resident memory, bytes of all files written."""

    seconds: float
    memory: int
    disk: int


@dataclass(frozen=True)
class Ended:
    """`peak_memory` in bytes, `status` as of `subprocess` (negative: a signal), the end of what it wrote to stderr."""

    how: Ending
    seconds: float
    peak_memory: int
    status: int
    last_words: str


def run(
    task: str,
    *,
    request: dict[str, Any],
    folder: Path,
    limits: Limits,
    readable: Sequence[Path] = (),
    descriptors: Sequence[int] = (),
    unconfined: bool = False,
) -> Ended:
    """Run `module:function` with the keywords of `request` in a confined child that may write only to `folder`.

    The child inherits the given open descriptors under their numbers; `readable` files and folders are added to what
    the walls leave. It is killed at the first limit that it passes, and when this process dies.
    """
    packages = (*PACKAGES, _package_of(task))
    walls = confinement.Walls(
        folder=str(folder.resolve()),
        readable=tuple(str(path.resolve()) for path in (*packages, *readable)),
        processor_seconds=int(limits.seconds * CORES) + 1,
        memory=limits.memory + RESERVE,
        file_size=limits.disk,
        parent=os.getpid(),
        unconfined=unconfined,
    )
    order = {"task": task, "request": request, "walls": asdict(walls)}
    with tempfile.TemporaryFile("w+") as orders, tempfile.TemporaryFile("w+b") as words:
        json.dump(order, orders)
        orders.seek(0)
        started = time.monotonic()
        process = _start(folder.resolve(), orders, words, descriptors)
        how, peak = _watch(process, folder, limits, started)
        return Ended(how, time.monotonic() - started, peak, process.returncode, _tail(words))


def _package_of(task: str) -> Path:
    return Path(__file__).parents[2].joinpath(*task.split(":")[0].split(".")[:-1])


def _start(folder: Path, orders: IO[str], words: IO[bytes], descriptors: Sequence[int]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 (our own interpreter and file)
        [sys.executable, "-I", "-B", str(CHILD)],
        stdin=orders,
        stdout=subprocess.DEVNULL,
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


def _watch(process: subprocess.Popen[bytes], folder: Path, limits: Limits, started: float) -> tuple[Ending, int]:
    peak = 0
    try:
        while process.poll() is None:
            peak = max(peak, _resident(process.pid))
            passed = _passed_limit(peak, folder, limits, started)
            if passed is not None:
                return passed, peak
            time.sleep(LOOK_EVERY_S)
        return _ending(process.returncode), peak
    finally:
        process.kill()
        process.wait()


def _passed_limit(peak: int, folder: Path, limits: Limits, started: float) -> Ending | None:
    if peak > limits.memory:
        return Ending.MEMORY
    if time.monotonic() - started > limits.seconds:
        return Ending.TIME
    if _written(folder) > limits.disk:
        return Ending.DISK
    return None


def _ending(status: int) -> Ending:
    if status == 0:
        return Ending.ANSWERED
    return {-signal.SIGXCPU: Ending.TIME, OUT_OF_MEMORY: Ending.MEMORY}.get(status, Ending.CRASHED)


def _resident(pid: int) -> int:
    """Bytes of a process's own memory: its peak if the kernel still tells, 0 once it has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(("VmHWM:", "VmSwap:")))


def _written(folder: Path) -> int:
    """Bytes of all files below a folder, with a charge for each so that many empty ones count too."""
    total = 0
    for place, folders, files in os.walk(folder, onerror=lambda _error: None):
        total += 4096 * (len(folders) + len(files))
        for name in files:
            try:
                total += os.lstat(os.path.join(place, name)).st_size  # noqa: PTH118 (a file may vanish)
            except OSError:
                continue
    return total


def _tail(words: IO[bytes]) -> str:
    size = words.seek(0, os.SEEK_END)
    words.seek(max(0, size - LAST_WORDS))
    return words.read().decode(errors="replace")
