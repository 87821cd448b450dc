"""The walls around a process that opens an untrusted file: no root and no other program is needed, only Linux.

Landlock leaves it the Python installation to read and one folder to write; seccomp takes away programs, processes and
the network; limits bound processor time, memory, file size and open files; it dies with the process that started it.
"""

import ctypes
import os
import resource
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

from classifier.admission import landlock, seccomp

PR_SET_PDEATHSIG = 1
CAPABILITY_VERSION_3 = 0x2008_0522
SYSTEM = ("/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/share/zoneinfo", "/lib", "/lib64")
SETTINGS = ("/etc/ld.so.cache", "/etc/localtime", "/sys/devices/system/cpu", "/sys/devices/system/node")
DEVICES = ("/dev/urandom", "/dev/random", "/dev/zero")
PROCESS = ("/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/filesystems", "/proc/version")


class Unavailable(Exception):
    """This host lacks a wall; the text says which."""


@dataclass(frozen=True)
class Walls:
    """What one confined process may still use: sizes in bytes, time in seconds of one core."""

    folder: str
    readable: tuple[str, ...]
    processor_seconds: int
    memory: int
    file_size: int
    parent: int
    unconfined: bool = False


def missing() -> list[str]:
    """The names of the walls that this kernel does not have."""
    absent = []
    if landlock.version() < 1:
        absent.append("Landlock")
    if not seccomp.is_available():
        absent.append("seccomp")
    return absent


def enter(walls: Walls) -> None:
    """Confine this process for good; to be called before it starts a thread or sees the file.

    Raises Unavailable where a wall cannot be put up, unless the walls say `unconfined`.
    """
    _die_with(walls.parent)
    _limit(walls)
    try:
        _drop_capabilities()
        landlock.restrict(readable=_readable(walls), writable=(Path(walls.folder), Path("/dev/null")))
        seccomp.install()
    except (OSError, KeyError) as error:
        if not walls.unconfined:
            raise Unavailable(str(error)) from error


def _die_with(parent: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit("The process that asked is gone.")


def _limit(walls: Walls) -> None:
    for kind, limit in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 256),
        (resource.RLIMIT_FSIZE, walls.file_size),
        (resource.RLIMIT_CPU, walls.processor_seconds),
        (resource.RLIMIT_DATA, walls.memory),
        (resource.RLIMIT_MEMLOCK, 0),
    ):
        hard = resource.getrlimit(kind)[1]
        bound = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(kind, (bound, bound))


def _drop_capabilities() -> None:
    """A portal that is run by root must not hand root's powers to the file."""
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    none = (ctypes.c_uint32 * 6)()
    if libc.capset(ctypes.byref(header), ctypes.byref(none)) != 0:
        raise OSError(ctypes.get_errno(), "capset: the capabilities could not be dropped")


def _readable(walls: Walls) -> list[Path]:
    installation = (sys.prefix, sys.base_prefix)
    paths = (*installation, *SYSTEM, *SETTINGS, *DEVICES, *PROCESS, *walls.readable)
    return [Path(path) for path in paths]
