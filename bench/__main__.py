"""`make bench`: one portal, one interleaved run; the last line on stdout is the JSON object of docs/performance.md.

It ends with 1 where a limit of `bench.limits` was passed.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench import evaluating, limits
from bench.crowd import measure_crowd
from bench.portal import measure_portal
from tests.system.portal import Portal


def main() -> None:
    ratios: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder, "data")
        with Portal(data) as portal:
            ratios |= limits.at_first_start(portal, Path(folder))
            found = _inhabited(data)
            ratios |= measure_portal(portal, found["evaluation"])
            ratios |= measure_crowd(portal, found["tokens"], Path(folder))
            ratios |= limits.of_a_restart(portal)
        for framework in ("torch", "keras"):
            ratios |= _in_a_process("bench.inference", framework, str(data / "models" / "bundles"))
        ratios |= evaluating.main(data)
    costs = [ratios.pop(f"explain_cost_{framework}") for framework in ("torch", "keras")]
    evaluated = ratios["evaluate_vs_script_torch"]
    too_much = limits.passed(ratios)
    print(*too_much, sep="\n", file=sys.stderr)
    print(json.dumps(ratios | {"explain_cost": max(costs), "evaluate_vs_script": evaluated}))
    sys.exit(bool(too_much))


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
