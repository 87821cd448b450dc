"""The table of known networks: which names and shapes belong to which model of timm, torchvision and smp.

`bench/fingerprints.py` makes it. No framework is imported here: the portal's own processes read it too.
"""

import gzip
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

PATH = Path(__file__).with_name("fingerprints.json.gz")
COUNTER = "num_batches_tracked"
DIGITS = 12


@dataclass(frozen=True)
class Cut:
    """One way to take a head off: everything `at` a module's name is head; `features` go into it, 0 if unknown.

    Networks with the same `body` that answer alike have the same `kind`.
    """

    at: str
    features: int
    body: str
    kind: int


@dataclass(frozen=True)
class Known:
    """One network of the table; `heads` are the layers whose size follows the number of classes."""

    architecture: Mapping[str, Any]
    heads: tuple[str, ...]
    cuts: tuple[Cut, ...]


def body(shapes: Mapping[str, Sequence[int]], heads: Iterable[str] = ()) -> str:
    """The fingerprint of a network without its heads: a hash of sorted names and shapes, without counters."""
    left_out = tuple(f"{head}." for head in heads)
    lines = [
        f"{name} {'x'.join(map(str, shape))}"
        for name, shape in shapes.items()
        if not name.endswith(COUNTER) and not (left_out and name.startswith(left_out))
    ]
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()[:DIGITS]


@cache
def table() -> tuple[Known, ...]:
    rows = json.loads(gzip.decompress(PATH.read_bytes()))["networks"]
    return tuple(
        Known(architecture, tuple(heads), tuple(Cut(*cut) for cut in cuts)) for architecture, heads, cuts in rows
    )


def write(rows: Iterable[Mapping[str, Any]], versions: Mapping[str, str]) -> None:
    networks = [[r["architecture"], r["heads"], [list(cut.values()) for cut in r["cuts"]]] for r in rows]
    content = json.dumps({"versions": versions, "networks": networks}, separators=(",", ":"))
    PATH.write_bytes(gzip.compress(content.encode(), 9, mtime=0))
