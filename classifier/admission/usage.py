"""What a running child uses, as the kernel tells: memory, time without a core, disk."""

import os
from pathlib import Path


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
