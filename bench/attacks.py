"""Every hostile file of the tests against the real admission: `python -m bench.attacks [OPENED_BY …] [KEPT.jsonl]`.

OPENED_BY is `static` (no framework has to open the file), `torch` or `keras`; all three if none is given. Prints one
line for each file to stderr, and the table for docs/safety.md. A run with a file of kept results goes on where the last
one ended: the whole corpus takes a quarter of an hour on two quiet cores.
"""

import json
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

from classifier.admission import admit as admission
from skinsite.sandbox import run as sandbox_run
from skinsite.sandbox.run import ChildResult
from tests.admission.attacks import Attack, all_attacks
from tests.admission.attacks.canaries import Canaries, canaries

SECONDS, BYTES = 60, 2 * 1024**3


@dataclass(frozen=True)
class Result:
    """How one file was met: the refusal's code, seconds that count against the limit, the largest child in bytes."""

    kind: str
    name: str
    code: str
    seconds: float
    wall: float
    memory: int
    touched: list[str]


def main() -> int:
    kept = next((Path(word) for word in sys.argv[1:] if word.endswith(".jsonl")), None)
    words = {"" if word == "static" else word for word in sys.argv[1:] if not word.endswith(".jsonl")}
    wanted = [attack for attack in all_attacks() if attack.opened_by in (words or {"", "torch", "keras"})]
    results = [Result(**json.loads(line)) for line in kept.read_text().splitlines()] if kept and kept.exists() else []
    done = {(result.kind, result.name) for result in results}
    with tempfile.TemporaryDirectory() as name, canaries(Path(name)) as birds:
        for number, attack in enumerate(wanted):
            if (attack.kind, attack.name) in done:
                continue
            result = _met(attack, Path(name, f"upload{number}"), birds)
            results.append(result)
            if kept:
                with kept.open("a") as file:
                    file.write(json.dumps(asdict(result)) + "\n")
            line = f"{result.kind} · {result.name}: {result.code}, {result.wall:.1f} s {result.touched or ''}"
            print(line, file=sys.stderr, flush=True)
    print(table(results))
    return sum(bool(result.touched) for result in results)


def _met(attack: Attack, upload: Path, birds: Canaries) -> Result:
    manifest = attack.write(upload, birds.bait)
    birds.touched(admission.AdmissionResult(False, ()))  # what making the file touched does not count
    children: list[ChildResult] = []

    def run(*arguments: object, **options: object) -> ChildResult:
        children.append(real(*arguments, **options))  # type: ignore[arg-type]
        return children[-1]

    real, sandbox_run.run = sandbox_run.run, run
    started = time.monotonic()
    try:
        result = admission.admit(upload=upload, manifest=manifest, into=upload.with_name("bundles"))
    finally:
        sandbox_run.run = real
    wall = time.monotonic() - started
    code = result.error.code if result.error else "accepted"
    seconds = wall - sum(child.seconds - child.counted for child in children)
    memory = max((child.peak_memory for child in children), default=0)
    return Result(attack.kind, attack.name, code, seconds, wall, memory, birds.touched(result))


def table(results: list[Result]) -> str:
    """One line for each kind, in the order of the corpus."""
    lines = [
        "| kind | files | answered with | slowest, s | peak memory, MB | canaries touched |",
        "|---|---|---|---|---|---|",
    ]
    for kind in dict.fromkeys(result.kind for result in results):
        rows = [result for result in results if result.kind == kind]
        codes = ", ".join(f"{code} {count}" for code, count in Counter(row.code for row in rows).most_common())
        slowest, memory = max(row.seconds for row in rows), max(row.memory for row in rows) / 1024**2
        touched = sum(len(row.touched) for row in rows)
        lines.append(f"| {kind} | {len(rows)} | {codes} | {slowest:.1f} | {memory:.0f} | {touched} |")
    late = sum(row.seconds > SECONDS or row.memory > BYTES for row in results)
    kinds = len({row.kind for row in results})
    touched = sum(len(row.touched) for row in results)
    lines.append("")
    lines.append(
        f"{len(results)} files of {kinds} kinds; {late} above {SECONDS} s or 2 GiB; canaries touched: {touched}; "
        f"accepted: {sum(row.code == 'accepted' for row in results)}."
    )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
