"""`make bench`: one portal, one interleaved run; the last line on stdout is the JSON object of docs/performance.md."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench import evaluating
from bench.crowd import measure_crowd
from bench.portal import measure_portal
from tests.system.portal import Portal


def main() -> None:
    ratios: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder, "data")
        with Portal(data) as portal:
            found = _inhabited(data)
            ratios |= measure_portal(portal, found["evaluation"])
            ratios |= measure_crowd(portal, found["tokens"], Path(folder))
        for framework in ("torch", "keras"):
            ratios |= _in_a_process("bench.inference", framework, str(data / "models" / "bundles"))
        ratios |= evaluating.main(data)
    costs = [ratios.pop(f"explain_cost_{framework}") for framework in ("torch", "keras")]
    evaluated = ratios["evaluate_vs_script_torch"]
    print(json.dumps(ratios | {"explain_cost": max(costs), "evaluate_vs_script": evaluated}))


def _inhabited(data: Path) -> dict[str, Any]:
    return _in_a_process("bench.inhabited", SKINSITE_DATA=str(data))


def _in_a_process(*command: str, **environment: str) -> dict[str, Any]:
    """Run a module of the bench in a process of its own; return what its last line says."""
    run = subprocess.run(
        [sys.executable, "-m", *command],
        check=True,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    return dict(json.loads(run.stdout.splitlines()[-1]))


if __name__ == "__main__":
    main()
