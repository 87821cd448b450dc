"""Namespaces in plain ctypes: a process that has no neighbour, no network and only the folders that it was given.

See unshare(2), mount_setattr(2) and pivot_root(2). The calls for mounts are those of Linux 5.12, older than Landlock.
"""

import ctypes
import os
import platform
import struct
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

NEW_MOUNT, NEW_CGROUP, NEW_NAMES, NEW_IPC = 0x0002_0000, 0x0200_0000, 0x0400_0000, 0x0800_0000
NEW_USER, NEW_PROCESS, NEW_NETWORK = 0x1000_0000, 0x2000_0000, 0x4000_0000
ALL_BUT_USER = NEW_MOUNT | NEW_CGROUP | NEW_NAMES | NEW_IPC | NEW_PROCESS | NEW_NETWORK
SENTENCE = "namespaces of its own for mounts, processes, network, IPC, host name and cgroups"

OPEN_TREE, MOVE_MOUNT, MOUNT_SETATTR = 428, 429, 442  # the same numbers on every architecture
PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
HERE = -100
OPEN_CLONE, OPEN_CLOEXEC, EMPTY_PATH, RECURSIVE = 1, 0o2_000_000, 0x1000, 0x8000
MOVE_FROM_DESCRIPTOR = 4
READ_ONLY, NO_SET_UID, NO_DEVICES, NO_PROGRAMS = 1, 2, 4, 8
SLAVE = 1 << 19
DETACH = 2
ROOT_OPTIONS = b"size=4m,nr_inodes=4096,mode=755"
NOBODY = 65534

DEVICES = ("/dev/null", "/dev/urandom", "/dev/random", "/dev/zero")
COPIED = ("/proc/cpuinfo", "/proc/meminfo")
ITSELF = "/proc/self"


def unshare() -> str:
    """Leave every namespace of the portal; the next process that is forked is the first of its own. Say how.

    Raises OSError where the machine permits it neither to an ordinary user nor to this one.
    """
    try:
        _become_nobody_in_a_user_namespace()
    except OSError:
        _checked(_libc().unshare(ALL_BUT_USER))
        return SENTENCE
    return f"{SENTENCE}, and for users"


def see_only(folder: Path, readable: Iterable[Path]) -> None:
    """Make a new root of these paths under their own names, read-only, and `folder`, writable and without programs.

    Of /proc and /dev there are two copies of what describes the processor and memory, the interpreter's name, and four
    devices. The working folder is `folder` then. Raises OSError; call it in the first process of its namespaces.
    """
    libc = _libc()
    _checked(libc.mount(None, b"/", None, SLAVE | 0x4000, None))
    copies = {path: _content(path) for path in COPIED}
    trees = [(path, _clone(path, READ_ONLY | NO_SET_UID | NO_DEVICES)) for path in _separate(readable)]
    trees += [(Path(device), _clone(Path(device), NO_SET_UID | NO_PROGRAMS)) for device in DEVICES]
    trees += [(folder, _clone(folder, NO_SET_UID | NO_DEVICES | NO_PROGRAMS))]
    _checked(libc.mount(b"root", os.fsencode(folder), b"tmpfs", NO_SET_UID | NO_DEVICES, ROOT_OPTIONS))
    os.chdir(folder)
    for path, tree in trees:
        _attach(tree, path.relative_to("/"))
    for name, content in copies.items():
        copy = Path(name).relative_to("/")
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(content)
    _describe_itself(Path(ITSELF).relative_to("/"))
    _checked(libc.syscall(PIVOT_ROOT[platform.machine()], b".", b"."))
    _checked(libc.umount2(b".", DETACH))
    os.chdir("/")
    _set_attributes(HERE, b"/", 0, READ_ONLY)
    os.chdir(folder)


def _become_nobody_in_a_user_namespace() -> None:
    """The portal's user is mapped to one without a name; no other user exists inside."""
    user, group = os.geteuid(), os.getegid()
    _checked(_libc().unshare(ALL_BUT_USER | NEW_USER))
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{NOBODY} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{NOBODY} {group} 1")


def _separate(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield the paths that exist and lie in none of the others, under the names given and under their real ones."""
    both = {Path(name) for path in paths for name in (os.path.abspath(path), os.path.realpath(path))}  # noqa: PTH100
    taken: list[Path] = []
    for path in sorted(both):
        if path.exists() and not any(path.is_relative_to(parent) for parent in taken) and path != Path("/"):
            taken.append(path)
            yield path


def _content(name: str) -> bytes:
    try:
        return Path(name).read_bytes()
    except OSError:
        return b""


def _clone(path: Path, attributes: int) -> tuple[int, bool]:
    """Return a detached copy of the mounts at a path as a descriptor, and whether it is a folder."""
    flags = OPEN_CLONE | OPEN_CLOEXEC | RECURSIVE
    tree = _checked(_libc().syscall(OPEN_TREE, HERE, os.fsencode(path), flags))
    _set_attributes(tree, b"", EMPTY_PATH | RECURSIVE, attributes)
    return tree, path.is_dir()


def _describe_itself(folder: Path) -> None:
    """TensorFlow asks for its program and arguments, and ends where it gets no answer."""
    folder.mkdir()
    (folder / "exe").symlink_to(os.path.realpath(sys.executable))
    (folder / "cmdline").write_bytes(b"\0".join(map(os.fsencode, (sys.executable, *sys.argv))) + b"\0")


def _set_attributes(descriptor: int, path: bytes, flags: int, attributes: int) -> None:
    settings = ctypes.create_string_buffer(struct.pack("=QQQQ", attributes, 0, 0, 0), 32)
    _checked(_libc().syscall(MOUNT_SETATTR, descriptor, path, flags, settings, ctypes.c_size_t(32)))


def _attach(tree: tuple[int, bool], target: Path) -> None:
    descriptor, is_folder = tree
    if is_folder:
        target.mkdir(parents=True, exist_ok=True)
    elif not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
    _checked(_libc().syscall(MOVE_MOUNT, descriptor, b"", HERE, os.fsencode(target), MOVE_FROM_DESCRIPTOR))
    os.close(descriptor)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _checked(answer: int) -> int:
    if answer < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"namespaces: {os.strerror(code)}")
    return answer
