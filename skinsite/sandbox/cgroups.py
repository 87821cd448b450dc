"""A memory cgroup for one child, where this process may make one: the kernel's own bound, with nothing to outrun.

Version 1 and 2 (cgroups(7)); a container or an ordinary account mostly has no right to either, and gets None.
"""

import itertools
import os
import time
from dataclasses import dataclass
from pathlib import Path

PREFIX = "skinsite-child-"
REMOVE_WITHIN_S = 2.0
_numbers = itertools.count()


@dataclass(frozen=True)
class Cgroup:
    """One group of processes; `events` is the file that counts those killed for memory."""

    folder: Path
    events: str

    @property
    def members(self) -> Path:
        """The file that a process writes its id to."""
        return self.folder / "cgroup.procs"

    def ran_out(self) -> bool:
        """Whether the kernel killed a member for memory."""
        try:
            words = (self.folder / self.events).read_text().split()
        except OSError:
            return False
        return "oom_kill" in words and words[words.index("oom_kill") + 1] != "0"

    def remove(self) -> None:
        """Remove the group once its last member is gone; a process that was killed takes a moment to go."""
        deadline = time.monotonic() + REMOVE_WITHIN_S
        while time.monotonic() < deadline:
            try:
                return self.folder.rmdir()
            except FileNotFoundError:
                return None
            except OSError:
                time.sleep(0.01)


def create(memory: int) -> Cgroup | None:
    """Return a new group bounded to `memory` bytes, below this process's own, or None where that is not permitted."""
    for parent, limit, others, events in _places():
        folder = parent / f"{PREFIX}{os.getpid()}-{next(_numbers)}"
        try:
            _remove_abandoned(parent)
            folder.mkdir()
        except OSError:
            continue
        group = Cgroup(folder, events)
        try:
            (folder / limit).write_text(str(memory))
        except OSError:
            group.remove()
            continue
        for name, value in others.items():
            if (folder / name).exists():
                _try_to_write(folder / name, value)
        return group
    return None


def _places() -> list[tuple[Path, str, dict[str, str], str]]:
    try:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return []
    places = []
    for line in lines:
        _number, controllers, path = line.split(":", 2)
        inside = path.lstrip("/")
        if "memory" in controllers.split(","):
            folder = Path("/sys/fs/cgroup/memory", inside)
            places.append((folder, "memory.limit_in_bytes", {"memory.swappiness": "0"}, "memory.oom_control"))
        elif not controllers:
            others = {"memory.swap.max": "0", "memory.oom.group": "1", "pids.max": "512"}
            places.append((Path("/sys/fs/cgroup", inside), "memory.max", others, "memory.events"))
    return places


def _remove_abandoned(parent: Path) -> None:
    """Remove the groups of supervisors that were killed."""
    for folder in parent.glob(f"{PREFIX}*"):
        supervisor = folder.name.removeprefix(PREFIX).partition("-")[0]
        if not Path("/proc", supervisor).exists():
            try:
                folder.rmdir()
            except OSError:
                continue


def _try_to_write(path: Path, value: str) -> None:
    try:
        path.write_text(value)
    except OSError:
        return
