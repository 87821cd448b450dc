"""`make bench`: one portal, one interleaved run; the last line on stdout is the JSON object of docs/performance.md."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench import evaluating
from bench.portal import measure_portal
from tests.system.portal import Portal


def main() -> None:
    ratios: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder, "data")
        with Portal(data) as portal:
            ratios |= measure_portal(portal)
        for framework in ("torch", "keras"):
            ratios |= _in_a_process(framework, data / "models" / "bundles")
        ratios |= evaluating.main(data)
    costs = [ratios.pop(f"explain_cost_{framework}") for framework in ("torch", "keras")]
    evaluated = min(ratios["evaluate_vs_script_torch"], ratios["evaluate_vs_script_keras"])
    print(json.dumps(ratios | {"explain_cost": max(costs), "evaluate_vs_script": evaluated}))


def _in_a_process(framework: str, bundles: Path) -> dict[str, Any]:
    """Measure one framework's classifier in a process of its own."""
    run = subprocess.run(
        [sys.executable, "-m", "bench.inference", framework, str(bundles)],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return dict(json.loads(run.stdout.splitlines()[-1]))


if __name__ == "__main__":
    main()
