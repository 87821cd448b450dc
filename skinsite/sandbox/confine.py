"""The isolation of a process that opens an untrusted file: no other program is needed, only Linux.

Namespaces (where the machine permits none: another user) take away the portal's files, processes and network; behind
them Landlock leaves the Python installation to read and one folder to write, seccomp takes away programs, processes
and sockets, and limits bound processor time, memory, file size and open files. It dies with the process that started
it.
"""

import ctypes
import os
import resource
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from skinsite.sandbox import landlock, namespaces, seccomp

PR_SET_PDEATHSIG, PR_SET_KEEPCAPS = 1, 8
CAPABILITY_VERSION_3 = 0x2008_0522
CAP_DAC_READ_SEARCH = 1 << 2
ANOTHER_USER = 65533  # in the range of every container, and nobody's
SYSTEM = ("/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/share/zoneinfo", "/lib", "/lib64")
SETTINGS = ("/etc/ld.so.cache", "/etc/localtime", "/sys/devices/system/cpu", "/sys/devices/system/node")
LACKING = "LACKING: "
GIB = 1024**3

Tell = Callable[[dict[str, object]], None]


class Unavailable(Exception):
    """This host lacks a means of isolation; the text says which."""


@dataclass(frozen=True)
class Restrictions:
    """What one confined process may still use: sizes in bytes, time in seconds of one core.

    `memory` bounds its own pages, touched or not, `addresses` all that it maps; `group` is the file that puts a
    process into its memory cgroup, if there is one.
    """

    folder: str
    readable: tuple[str, ...]
    processor_seconds: int
    memory: int
    file_size: int
    parent: int
    unconfined: bool = False
    addresses: int = 8 * GIB
    group: str = ""


def missing() -> list[str]:
    """The names of the means of isolation that this kernel does not have."""
    absent = []
    if landlock.version() < 1:
        absent.append("Landlock")
    if not seccomp.is_available():
        absent.append("seccomp")
    return absent


def enter(allowed: Restrictions, *, tell: Tell) -> list[str]:
    """Confine this process for good and return a sentence for each measure taken, in a new process.

    The process that called stays outside as a guard: it tells the new one's number, waits for it, and ends as it
    ended; only the new one returns. Call it before a thread is started or the file is seen. Raises Unavailable where a
    measure cannot be taken, unless the restrictions say `unconfined`: then the sentence says what is lacking.
    """
    _die_with(allowed.parent)
    measures: list[str] = []
    if allowed.group:
        _apply(allowed, measures, lambda: _join(allowed.group))
    _apply(allowed, measures, lambda: _limit(allowed))
    namespaced = _leave(allowed, measures)
    guarded = _fork(allowed, tell)
    if namespaced:
        _apply(allowed, measures, lambda: _see_only(allowed))
    elif os.geteuid() == 0:
        _apply(allowed, measures, _become_another_user)
    _die_with_guard(guarded)
    _apply(allowed, measures, _drop_capabilities)
    _apply(allowed, measures, lambda: _restrict(allowed))
    _apply(allowed, measures, _filter)
    return measures


def _apply(allowed: Restrictions, measures: list[str], measure: Callable[[], str]) -> None:
    try:
        measures.append(measure())
    except (OSError, KeyError) as error:
        if not allowed.unconfined:
            raise Unavailable(str(error)) from error
        measures.append(f"{LACKING}{error}")


def _leave(allowed: Restrictions, measures: list[str]) -> bool:
    """Leave the portal's namespaces if the machine permits it; root has another way to keep apart."""
    try:
        measures.append(namespaces.unshare())
    except OSError as error:
        if os.geteuid() == 0:
            return False
        if not allowed.unconfined:
            raise Unavailable(f"it permits this user no namespaces ({error})") from error
        measures.append(f"{LACKING}{error}")
        return False
    return True


def _join(group: str) -> str:
    Path(group).write_text(str(os.getpid()))
    return "a memory cgroup"


def _see_only(allowed: Restrictions) -> str:
    namespaces.see_only(Path(allowed.folder), _readable(allowed))
    return "a root folder with the Python installation, read-only, and one folder of its own"


def _become_another_user() -> str:
    """For a container's root, who may change users and not make namespaces: files are then Landlock's matter."""
    try:
        os.chown(".", ANOTHER_USER, ANOTHER_USER)
        os.setgroups([])
        ctypes.CDLL(None).prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)
        os.setresgid(ANOTHER_USER, ANOTHER_USER, ANOTHER_USER)
        os.setresuid(ANOTHER_USER, ANOTHER_USER, ANOTHER_USER)
    except OSError as error:
        raise OSError(error.errno, "the machine permits neither namespaces nor another user") from error
    return f"another user (number {ANOTHER_USER}) in place of namespaces, which the machine does not permit"


def _restrict(allowed: Restrictions) -> str:
    described = [Path(path) for path in (*namespaces.DEVICES, *namespaces.COPIED, namespaces.ITSELF)]
    landlock.restrict(readable=[*_readable(allowed), *described], writable=(Path(allowed.folder), Path("/dev/null")))
    return f"Landlock version {landlock.version()}"


def _filter() -> str:
    seccomp.install()
    return "seccomp (no program, no process, no socket)"


def _fork(allowed: Restrictions, tell: Tell) -> int:
    """Return, in a new process only, a descriptor that ends when the guard does."""
    alive, held = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(held)
        return alive
    os.close(alive)
    tell({"pid": child})
    nowhere = os.open("/dev/null", os.O_RDWR)
    os.dup2(nowhere, 1)
    _, status, used = os.wait4(child, 0)
    _end_as(os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime >= allowed.processor_seconds)


def _end_as(code: int, out_of_time: bool) -> NoReturn:
    """The first process of a namespace is spared the signal for its processor time: it is killed for it at once."""
    if code < 0:
        number = signal.SIGXCPU if out_of_time and code == -signal.SIGKILL else -code
        if number not in (signal.SIGKILL, signal.SIGSTOP):
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    os._exit(code)


def _die_with(parent: int) -> None:
    _end_with_parent()
    if os.getppid() != parent:
        sys.exit("The process that asked is gone.")


def _die_with_guard(alive: int) -> None:
    """The guard's number means nothing in another namespace: a pipe that is still open says that it lives."""
    _end_with_parent()
    os.set_blocking(alive, False)
    try:
        if os.read(alive, 1) == b"":
            os._exit(1)
    except BlockingIOError:
        os.close(alive)


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _limit(allowed: Restrictions) -> str:
    for kind, limit in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 256),
        (resource.RLIMIT_FSIZE, allowed.file_size),
        (resource.RLIMIT_CPU, allowed.processor_seconds),
        (resource.RLIMIT_DATA, allowed.memory),
        (resource.RLIMIT_AS, allowed.addresses),
        (resource.RLIMIT_MEMLOCK, 0),
    ):
        hard = resource.getrlimit(kind)[1]
        bound = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(kind, (bound, bound))
    return f"{allowed.processor_seconds:,} s of processor time, {allowed.addresses / GIB:.0f} GiB of addresses"


def _drop_capabilities() -> str:
    """A portal that is run by root must not hand root's powers to the file.

    Another user keeps one, to read: the installation and its own folder may lie in a folder that is closed to others.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    keep = CAP_DAC_READ_SEARCH if os.geteuid() == ANOTHER_USER else 0
    kept = (ctypes.c_uint32 * 6)(keep, keep)
    if libc.capset(ctypes.byref(header), ctypes.byref(kept)) != 0:
        raise OSError(ctypes.get_errno(), "capset: the capabilities could not be dropped")
    return "no capability but to read what Landlock leaves" if keep else "no capability"


def _readable(allowed: Restrictions) -> list[Path]:
    installation = (sys.prefix, sys.base_prefix)
    paths = (*installation, *SYSTEM, *SETTINGS, *allowed.readable)
    return [Path(path) for path in paths]
