"""What a confined child does once it is confined, for a process that is there already: imports stay imported."""

import json
import os
from importlib import import_module
from pathlib import Path
from typing import Any

from skinsite.sandbox.child import ANSWER


def answer(task: str, request: dict[str, Any], folder: Path, upload: str) -> None:
    """Run a child's task in `folder` and leave its answer there; `upload` is opened in place of a descriptor."""
    os.chdir(folder)
    try:
        if "descriptor" in request:
            request["descriptor"] = os.open(upload, os.O_RDONLY)
        module, function = task.split(":")
        content = getattr(import_module(module), function)(**request)
        Path(ANSWER).write_text(json.dumps(content))
    finally:
        os.chdir("/")
