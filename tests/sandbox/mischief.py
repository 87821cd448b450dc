# ruff: noqa: PTH101, PTH208, PTH211 (the plain calls are what an attacker would make)
"""What a hostile file would try in its confined child; each function answers with what happened.

`sandbox.run` runs them in a real child, really isolated.
"""

import ctypes
import errno
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

CALLS = {"x86_64": {"clone": 56, "ptrace": 101, "memfd": 319}, "aarch64": {"clone": 220, "ptrace": 117, "memfd": 279}}


def attempt(deed: Callable[[], Any]) -> str:
    """The name of the error that the deed met, or `done`."""
    try:
        deed()
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, str(error))
    return "done"


def system_call(number: int, *arguments: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(number, *arguments) < 0:
        raise OSError(ctypes.get_errno(), "refused")


def read(path: str) -> str:
    return attempt(Path(path).read_bytes)


def list_folder(path: str) -> str:
    return attempt(lambda: os.listdir(path))


def write(path: str) -> str:
    return attempt(lambda: Path(path).write_text("was here"))


def delete(path: str) -> str:
    return attempt(Path(path).unlink)


def link_in(path: str) -> str:
    return attempt(lambda: os.link(path, "linked"))


def make_symlink(path: str) -> str:
    return attempt(lambda: os.symlink(path, "linked"))


def change_mode(path: str) -> str:
    return attempt(lambda: os.chmod(path, 0o777))


def truncate(path: str) -> str:
    return attempt(lambda: os.truncate(path, 0))


def connect(port: int) -> str:
    return attempt(lambda: socket.create_connection(("127.0.0.1", port), timeout=2))


def open_unix_socket() -> str:
    return attempt(lambda: socket.socket(socket.AF_UNIX))


def execute() -> str:
    return attempt(lambda: os.execv("/bin/true", ["true"]))


def run_program() -> str:
    return attempt(lambda: subprocess.run(["/bin/true"], check=True))


def fork() -> str:
    return attempt(os.fork)


def clone_with_namespace(machine: str) -> str:
    return attempt(lambda: system_call(CALLS[machine]["clone"], 0x1000_0000 | signal.SIGCHLD, 0, 0, 0, 0))


def trace_parent(machine: str) -> str:
    return attempt(lambda: system_call(CALLS[machine]["ptrace"], 16, os.getppid(), 0, 0))


def hide_memory(machine: str) -> str:
    return attempt(lambda: system_call(CALLS[machine]["memfd"], 0, 0))


def kill_parent() -> str:
    return attempt(lambda: os.kill(os.getppid(), signal.SIGTERM))


def kill(pid: int) -> str:
    return attempt(lambda: os.kill(pid, signal.SIGTERM))


def reach(path: str, port: int, unix: str, abstract: str, pid: int) -> dict[str, str]:
    """Try all that belongs to the portal: a file, a port, the broker's two kinds of socket, another process."""

    def connect_unix(address: str) -> None:
        with socket.socket(socket.AF_UNIX) as channel:
            channel.connect(address)

    return {
        "file": read(path),
        "port": connect(port),
        "socket": attempt(lambda: connect_unix(unix)),
        "abstract socket": attempt(lambda: connect_unix("\0" + abstract)),
        "environment": read(f"/proc/{pid}/environ"),
        "memory": read(f"/proc/{pid}/mem"),
        "open files": list_folder(f"/proc/{pid}/fd"),
        "signal": kill(pid),
        "every signal": attempt(lambda: os.kill(-1, signal.SIGTERM)),
        "graphics card": read("/dev/nvidia0"),
        "disk": read("/dev/vda"),
        "messages": attempt(lambda: os.listdir("/dev/mqueue")),
        "shared memory": list_folder("/dev/shm"),
    }


def reach_through_namespaces_alone(folder: str, **portal: Any) -> None:
    """Print what `reach` finds in a process that has namespaces only, neither Landlock nor seccomp."""
    from skinsite.sandbox import namespaces

    namespaces.unshare()
    child = os.fork()
    if child == 0:
        namespaces.see_only(Path(folder), [Path(sys.prefix), Path(sys.base_prefix), Path("/usr"), Path("/lib")])
        found = reach(**portal)
        Path("found.json").write_text(json.dumps(found | {"seen": sorted(os.listdir("/"))}))
        os._exit(0)
    os.waitpid(child, 0)


def raise_limit() -> str:
    import resource

    try:
        resource.setrlimit(resource.RLIMIT_CPU, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    except ValueError:
        return "refused"
    return "done"


def look_around() -> dict[str, Any]:
    """What an ordinary child may do, and what it can see of the portal."""
    thread = threading.Thread(target=time.sleep, args=(0,))
    thread.start()
    thread.join()
    Path("mine").write_text("allowed")
    return {
        "environment": dict(os.environ),
        "descriptors": [number for number in range(256) if attempt(lambda: os.fstat(number)) == "done"],  # noqa: B023
        "path": sys.path,
        "inside": Path("mine").read_text(),
    }


def read_descriptor(descriptor: int) -> str:
    with os.fdopen(descriptor, "rb") as upload:
        return upload.read().decode()


def eat_memory() -> str:
    eaten = []
    while True:
        eaten.append(bytearray(16 * 1024**2))
        time.sleep(0.01)


def eat_time() -> str:
    while True:
        time.sleep(0.01)


def eat_disk() -> str:
    for number in range(1000):
        Path(f"part{number}").write_bytes(bytes(4 * 1024**2))
        time.sleep(0.01)
    return "done"


def eat_disk_unseen() -> str:
    """The files have no name any more, and stay open."""
    held = []
    for number in range(100):
        held.append(os.open(f"part{number}", os.O_CREAT | os.O_WRONLY))
        Path(f"part{number}").unlink()
        os.write(held[-1], bytes(4 * 1024**2))
        time.sleep(0.01)
    return "done"


def write_to_the_orders() -> str:
    return attempt(lambda: os.write(0, b"more"))


def dig(levels: int = 1_500, rights: int = 0o777, stay: float = 5) -> str:
    """Make a folder in a folder in a folder, and stay for so many seconds."""
    place = os.open(".", os.O_RDONLY)
    for _level in range(levels):
        os.mkdir("down", rights, dir_fd=place)
        below = os.open("down", os.O_PATH, dir_fd=place)
        os.close(place)
        place = below
    time.sleep(stay)
    return "done"


def die() -> str:
    os.abort()


def hand_back(content: Any) -> Any:
    """An honest answer of any content."""
    return content


def leave_answer(text: str = "", *, size: int = 0) -> None:
    """Leave another text than an honest child would, or a file of so many bytes that takes no room on the disk."""
    with Path("answer.json").open("w") as file:
        file.write(text)
        file.flush()
        file.truncate(size or len(text))
    os._exit(0)


def leave_hard_link() -> None:
    Path("other").write_text("{}")
    os.link("other", "answer.json")
    os._exit(0)


def leave_files(count: int, size: int) -> dict[str, Any]:
    """Leave many large files at once, so late that nobody looks before the end."""
    for number in range(count):
        with Path(f"part{number}").open("wb") as file:
            file.truncate(size)
    return {}
