"""The confined child's first file: isolate itself, then run one task. Started by `sandbox.run`.

`python -I -B child.py` with an order (JSON) on standard input. What it says of its isolation goes to standard output,
which is closed before the file is seen; the task's answer goes to `answer.json` in the folder that stays writable.
"""

import importlib
import json
import os
import sys
from pathlib import Path

ANSWER = "answer.json"
OUT_OF_MEMORY = 77
NOT_ISOLATED = 78
UNWANTED = ("matplotlib", "sklearn")  # Keras imports them if it can, for seconds, and no child draws or fits
ROOT = Path(__file__).resolve().parents[2]


def packages() -> list[Path]:
    """The folders of our own code: the packages beside skinsite."""
    return sorted(file.parent for file in ROOT.glob("*/__init__.py"))


def main() -> None:
    order = json.load(sys.stdin)
    module, function = order["task"].split(":")
    # Our packages' folders stay readable in isolation, the repository's root (with the data) does not.
    sys.path.insert(0, str(ROOT))
    for folder in packages():
        importlib.import_module(folder.name)
    sys.path.remove(str(ROOT))

    from skinsite.sandbox import confine

    try:
        measures = confine.enter(confine.Restrictions(**order["restrictions"]), tell=_tell)
    except confine.Unavailable as problem:
        _tell({"unavailable": str(problem)})
        sys.exit(NOT_ISOLATED)
    _tell({"isolation": measures})
    _silence()
    for package in UNWANTED:
        sys.modules[package] = None  # type: ignore[assignment]
    try:
        answer = getattr(importlib.import_module(module), function)(**order["request"])
    except MemoryError:
        sys.exit(OUT_OF_MEMORY)
    Path(ANSWER).write_text(json.dumps(answer))
    os._exit(0)  # a framework's own way out takes a second and sometimes fails


def _tell(message: dict[str, object]) -> None:
    os.write(1, json.dumps(message).encode() + b"\n")


def _silence() -> None:
    """Close the way to the supervisor: what a library prints goes nowhere."""
    nowhere = os.open("/dev/null", os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)


if __name__ == "__main__":
    main()
