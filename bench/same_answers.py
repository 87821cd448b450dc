"""What two commits answer from one data folder: python -m bench.same_answers OLD_CHECKOUT NEW_CHECKOUT DATA_FOLDER

Each commit gets a copy of the folder, migrates it, and is asked for every page and every GET of the API that the old
one's URL conf has, with every id of the folder, and the links of those pages, by nobody and by everybody with an
account there (`tests/upgrade/walk.py`). Status, headers and bodies are compared in normal form (`bench.normal`). What
differs is printed; what is meant to differ is listed below with its reason, and only counted. Exits with 1 where more
differs.

A folder with something of everything comes from the old commit itself: start its portal with SKINSITE_DATA, use it,
and stop it with SIGTERM.
"""

import difflib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import normal

WALK = Path(__file__).parents[1] / "tests" / "upgrade" / "walk.py"
NOT_COPIED = shutil.ignore_patterns("log", "run", "static", "*.sock")
SHOWN_LINES = 12
SHOWN_ANSWERS = 200


@dataclass(frozen=True)
class Expected:
    """A difference that is meant: a line of an answer whose address fits `address`, in either commit's words."""

    reason: str
    line: str
    address: str = ""

    def covers(self, address: str, line: str) -> bool:
        return bool(re.search(self.address, address) and re.search(self.line, line))


EXPECTED = (
    Expected(
        "Functions moved, and their modules' names are in the OpenAPI document",
        r"operationId|#?\w+_api_\w+",
        "/api/v1/(openapi|docs)",
    ),
)


@dataclass(frozen=True)
class Answers:
    """What one commit answered: {(who, address): {status, headers, body}}, with its bodies' folder and data folder."""

    found: dict[tuple[str, str], dict[str, Any]]
    bodies: Path
    data: Path

    def lines(self, key: tuple[str, str]) -> list[str]:
        answer = self.found[key]
        kind = answer["headers"].get("Content-Type", "")
        head = [f"{name}: {normal.stable(value, str(self.data))}" for name, value in answer["headers"].items()]
        body = normal.lines((self.bodies / answer["body"]).read_bytes(), kind, str(self.data))
        return [f"status {answer['status']}", *head, *body]


def walked(checkout: Path, data: Path, out: Path, now: str, addresses: Path | None) -> Answers:
    """Let a checkout answer from a folder, in a process of its own."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("SKINSITE_", "DJANGO_"))}
    words = [str(WALK), str(out), "--now", now, *(["--addresses", str(addresses)] if addresses else ["--links"])]
    subprocess.run(
        [sys.executable, *words],
        cwd=checkout,
        env=environment | {"SKINSITE_DATA": str(data), "PYTHONHASHSEED": "0"},
        check=True,
    )
    rows = [json.loads(line) for line in (out / "answers.jsonl").read_text().splitlines()]
    return Answers({(row["who"], row["address"]): row for row in rows}, out / "bodies", data)


def differences(old: Answers, new: Answers) -> Iterator[tuple[tuple[str, str], list[str]]]:
    """Yield whose answer at which address differs, with the lines that were taken away and added."""
    for key, before in old.found.items():
        after = new.found.get(key)
        if after is None:
            yield key, ["-it is answered", "+nothing is answered to the address without its query"]
            continue
        if all(before[part] == after[part] for part in ("status", "headers", "body")):
            continue
        found = difflib.unified_diff(old.lines(key), new.lines(key), lineterm="", n=0)
        changed = [line for line in found if not line.startswith(("---", "+++", "@@"))]
        if changed:
            yield key, changed


def report(old: Answers, new: Answers, unknown: list[str]) -> bool:
    """Print what is equal and what differs; return whether all that differs is meant."""
    reasons: Counter[str] = Counter()
    meant, others = 0, []
    for (who, address), changed in differences(old, new):
        why = [next((each.reason for each in EXPECTED if each.covers(address, line[1:])), None) for line in changed]
        if None in why:
            others.append((who, address, [line for line, reason in zip(changed, why, strict=True) if reason is None]))
        else:
            meant += 1
            reasons.update({reason for reason in why if reason})
    for who, address, changed in others[:SHOWN_ANSWERS]:
        print(f"\n{who} {address}: {len(changed)} lines differ")
        print("\n".join(f"  {line[:300]}" for line in changed[:SHOWN_LINES]))
    statuses = Counter(answer["status"] for answer in old.found.values())
    print(f"\n{len(old.found):,} answers, by status {dict(sorted(statuses.items()))}")
    print(f"{len(old.found) - meant - len(others):,} equal, {meant} differ as is meant, {len(others)} differ")
    for reason, count in reasons.most_common():
        print(f"  {count} × {reason}")
    if unknown:
        print(f"Not asked, since no value is known for their parameters: {', '.join(unknown)}")
    return not others


def main(old_checkout: Path, new_checkout: Path, data: Path) -> bool:
    now = datetime.now(UTC).isoformat()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        found: list[Answers] = []
        for name, checkout in (("old", old_checkout), ("new", new_checkout)):
            shutil.copytree(data, place / name / "data", ignore=NOT_COPIED)
            asked = place / "old" / "out" / "addresses.json" if found else None
            found.append(walked(checkout.resolve(), place / name / "data", place / name / "out", now, asked))
        return report(*found, json.loads((place / "old" / "out" / "unknown.json").read_text()))


if __name__ == "__main__":
    sys.exit(0 if main(*map(Path, sys.argv[1:4])) else 1)
