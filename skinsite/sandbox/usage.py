"""What a running child uses, as the kernel tells: memory, time without a core, disk."""

import os
import stat
from pathlib import Path

DEEPEST = 16  # folders in folders; no honest child makes more than three
UNBOUNDED = 2**62  # bytes, for what cannot be counted: folders that are too deep or closed to us
ENTRY = 4096  # bytes charged for each file and folder, so that many empty ones count too
STREAMS = ("0", "1", "2")
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def resident(pid: int) -> int:
    """Bytes of a process's own memory: its peak if the kernel still tells, 0 before it starts and once it has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(("VmHWM:", "VmSwap:")))


def waited(pid: int) -> float:
    """Seconds that the thread of a process which waited longest was ready and had no core; 0 if nobody counts them."""
    try:
        lines = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/schedstat")]
    except OSError:
        return 0.0
    return max((int(line.split()[1]) / 1e9 for line in lines), default=0.0)


def written(folder: Path) -> int:
    """Bytes of all files below a folder, each with a charge; UNBOUNDED below DEEPEST, or where we may not look."""
    try:
        return _below(os.open(folder, FOLDER), 1)
    except OSError:
        return 0


def _below(descriptor: int, depth: int) -> int:
    """The same for an open folder, which is closed. By descriptor: a path of such folders may be too long to open."""
    total = 0
    try:
        with os.scandir(descriptor) as entries:
            for entry in entries:
                total += ENTRY + _bytes_of(entry, descriptor, depth)
    except PermissionError:
        return UNBOUNDED
    except OSError:  # it vanished meanwhile
        pass
    finally:
        os.close(descriptor)
    return total


def _bytes_of(entry: os.DirEntry[str], folder: int, depth: int) -> int:
    try:
        if not entry.is_dir(follow_symlinks=False):
            return entry.stat(follow_symlinks=False).st_size
        if depth >= DEEPEST:
            return UNBOUNDED
        return _below(os.open(entry.name, FOLDER, dir_fd=folder), depth + 1)
    except PermissionError:
        return UNBOUNDED
    except OSError:
        return 0


def held(pid: int) -> int:
    """Bytes of the files in a child's hands that have no name any more; 0 where the kernel does not say.

    Its standard streams are not counted: they are files of ours.
    """
    found: dict[tuple[int, int], int] = {}
    try:
        for path in Path(f"/proc/{pid}/fd").iterdir():
            if path.name in STREAMS:
                continue
            try:
                status = path.stat()
            except FileNotFoundError:
                continue
            if stat.S_ISREG(status.st_mode) and status.st_nlink == 0:
                found[status.st_dev, status.st_ino] = status.st_size
    except OSError:
        return 0
    return sum(found.values())
