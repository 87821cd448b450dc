"""Hostile model files, each made by a few lines of our own: what a stranger could upload, and what it would like to do.

An attack is registered by its kind; `all_attacks()` gives them in order. `bench/attacks.py` runs all of them, the
tests those that no framework has to open.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CLASSES = ["akiec", "bcc", "bkl", "df", "mel", "nv", "vasc"]
FAMILIES = ("archives", "disguises", "hdf5_files", "keras_configs", "manifests", "pickled", "safetensors_files")


@dataclass(frozen=True)
class Bait:
    """What an attack aims at: a secret file outside, a file that code would make, a listening port."""

    secret: Path
    marker: Path
    port: int

    @property
    def command(self) -> str:
        return f"touch {self.marker}"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/model"


@dataclass(frozen=True)
class Attack:
    """`opened_by` is the framework that has to be imported before the answer is known, or nothing."""

    kind: str
    name: str
    make: Callable[[Path, Bait], None]
    opened_by: str = ""
    code: str = ""
    manifest: dict[str, Any] = field(default_factory=dict)

    def write(self, path: Path, bait: Bait) -> dict[str, Any]:
        """Make the file and return the manifest that comes with it."""
        self.make(path, bait)
        size = {"width": 32, "height": 32}
        manifest = {"classes": CLASSES, "input": size} | self.manifest
        return manifest


_attacks: list[Attack] = []
Make = Callable[[Path, Bait], None]


def attack(
    kind: str, *, code: str = "", opened_by: str = "", manifest: dict[str, Any] | None = None
) -> Callable[[Make], Make]:
    """Register a function that writes one hostile file; `code` is the refusal that it must meet, if that is fixed."""

    def register(make: Make) -> Make:
        add(kind, make.__name__, make, code=code, opened_by=opened_by, manifest=manifest)
        return make

    return register


def add(
    kind: str,
    name: str,
    make: Make,
    *,
    code: str = "",
    opened_by: str = "",
    manifest: dict[str, Any] | None = None,
) -> None:
    _attacks.append(Attack(kind, name, make, opened_by, code, manifest or {}))


def all_attacks() -> list[Attack]:
    for family in FAMILIES:
        importlib.import_module(f"{__name__}.{family}")
    return list(_attacks)
