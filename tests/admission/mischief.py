"""First children of an admission that were taken over by the file which they open; `mischief` of the sandbox helps."""

import json
import os
from pathlib import Path
from typing import Any

from tests.sandbox import mischief


def convert_dig(**_request: Any) -> str:
    return mischief.dig()


def convert_stall(**_request: Any) -> None:
    mischief.eat_time()


def convert_hog(**_request: Any) -> None:
    mischief.eat_memory()


def convert_crash(**_request: Any) -> None:
    mischief.die()


def convert_lie(**_request: Any) -> dict[str, Any]:
    return {"report": [], "accepted": True}


def convert_flood(**_request: Any) -> list[Any]:
    """Megabytes that take long to print."""
    return [[[]]] * 400_000


def convert_no_folder(**_request: Any) -> dict[str, Any]:
    """A file stands where the bundle's folder should."""
    Path("bundle").write_text("{}")
    return _converted()


def convert_link(**_request: Any) -> dict[str, Any]:
    """Leave the answer as a hard link to a second file, so that both names could be changed later."""
    Path("other").write_text("{}")
    os.link("other", "answer.json")
    return {}


def convert_noise(**_request: Any) -> dict[str, Any]:
    problem = {"code": "damaged", "message": "red \x1b[31m and reversed \u202e", "hint": ""}
    return {"report": [], "problem": problem}


def _converted(**inferred: Any) -> dict[str, Any]:
    plain = {
        "framework": "torch",
        "output": "logits",
        "input": {
            "width": 8,
            "height": 8,
            "resize": "stretch",
            "interpolation": "bilinear",
            "antialias": True,
            "color": "rgb",
            "range": [0, 1],
            "mean": [0, 0, 0],
            "std": [1, 1, 1],
            "clinical": "none",
        },
    }
    return {
        "report": [],
        "framework": "torch",
        "architecture": "made up",
        "parameters": 1,
        "inferred": plain | inferred,
        "outputs": [[0.5, 0.5], [0.5, 0.5]],
    }


def convert_bundle_of_links(**_request: Any) -> dict[str, Any]:
    """The bundle's files are one file under two names."""
    Path("bundle").mkdir()
    Path("bundle/bundle.json").write_text("{}")
    os.link("bundle/bundle.json", "bundle/weights.safetensors")
    return _converted()


def convert_no_number(**_request: Any) -> dict[str, Any]:
    """Python reads 1e999 as infinity, which no database takes as JSON."""
    answer = json.dumps(_converted()).replace('"output": "logits"', '"output": "logits", "junk": 1e999')
    Path("answer.json").write_text(answer)
    os._exit(0)


def convert_other_classes(manifest: dict[str, Any], **_request: Any) -> dict[str, Any]:
    """A quiet attack: the classes come back in another order."""
    return _converted(classes=list(reversed(manifest["classes"])))
