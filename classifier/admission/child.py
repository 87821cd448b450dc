"""The confined child's first file: put up the walls, then run one task. Started by `supervision.run`.

`python -I -B child.py` with an order (JSON) on standard input; the task's answer goes to `answer.json` in the folder
that the walls leave writable.
"""

import importlib
import json
import sys
from pathlib import Path

OUT_OF_MEMORY = 77
ROOT = Path(__file__).resolve().parents[2]


def main() -> None:
    order = json.load(sys.stdin)
    module, function = order["task"].split(":")
    # A package's own folder stays readable behind the walls, the repository's root (with the data) does not.
    sys.path.insert(0, str(ROOT))
    for package in ("classifier.admission.confinement", "skinsite", module.rpartition(".")[0]):
        importlib.import_module(package)
    sys.path.remove(str(ROOT))

    from classifier.admission import confinement

    folder = Path(order["walls"]["folder"])
    try:
        confinement.enter(confinement.Walls(**order["walls"]))
    except confinement.Unavailable as problem:
        answer = {"unavailable": str(problem)}
    else:
        try:
            answer = getattr(importlib.import_module(module), function)(**order["request"])
        except MemoryError:
            sys.exit(OUT_OF_MEMORY)
    (folder / "answer.json").write_text(json.dumps(answer))


if __name__ == "__main__":
    main()
