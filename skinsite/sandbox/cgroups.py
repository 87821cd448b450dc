"""A memory cgroup for one child, where this process may make one: the kernel's own bound, with nothing to outrun.

Version 2 (cgroups(7)); a container or an ordinary account mostly has no right to one, and gets None.
"""

import itertools
import os
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

ROOT, OWN = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")
PREFIX = "skinsite-child-"
REMOVE_WITHIN_S = 2.0
LIMIT = "memory.max"
OTHERS = {"memory.swap.max": "0", "memory.oom.group": "1", "pids.max": "512"}
"""What is set too where the kernel and the machine's settings have it."""
_numbers = itertools.count()


@dataclass(frozen=True)
class Cgroup:
    """One group of processes."""

    folder: Path

    @property
    def members(self) -> Path:
        """The file that a process writes its id to."""
        return self.folder / "cgroup.procs"

    def ran_out(self) -> bool:
        """Whether the kernel killed a member for memory."""
        try:
            words = (self.folder / "memory.events").read_text().split()
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
    try:
        parent = _own()
        _remove_abandoned(parent)
        group = Cgroup(parent / f"{PREFIX}{os.getpid()}-{next(_numbers)}")
        group.folder.mkdir()
    except (OSError, StopIteration):
        return None
    try:
        (group.folder / LIMIT).write_text(str(memory))
    except OSError:
        group.remove()
        return None
    for name, value in OTHERS.items():
        with suppress(OSError):
            (group.folder / name).write_text(value)
    return group


def _own() -> Path:
    """The folder of this process's own group. Raises OSError or StopIteration where there is none of version 2."""
    lines = OWN.read_text().splitlines()
    inside = next(line.removeprefix("0::/") for line in lines if line.startswith("0::/"))
    (ROOT / inside / "cgroup.controllers").stat()
    return ROOT / inside


def _remove_abandoned(parent: Path) -> None:
    """Remove the groups of supervisors that were killed."""
    for folder in parent.glob(f"{PREFIX}*"):
        supervisor = folder.name.removeprefix(PREFIX).partition("-")[0]
        if not Path("/proc", supervisor).exists():
            with suppress(OSError):
                folder.rmdir()
