"""Lists of ids in a manifest's `training_data`: which images a model was trained on, where somebody tells it."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from skinsite.strict_json import strict_json

Declared = dict[str, Any]
"""A manifest or an entry of its `training_data`, as somebody wrote it: nothing of it is checked yet."""


def listed_ids(entry: Mapping[str, Any]) -> list[str] | None:
    """Return the ids that an entry lists itself, as an array or as a text of lines; None if it lists none.

    A text of one line is a file's name.
    """
    images = entry.get("images")
    if isinstance(images, str) and "\n" in images:
        images = images.splitlines()
    if not isinstance(images, list) or not all(isinstance(line, str) for line in images):
        return None
    return [line.strip() for line in images if line.strip()]


def missing_file(entry: Mapping[str, Any]) -> str:
    """Return the name of the file that an entry names in place of its ids, or an empty text."""
    images = entry.get("images")
    return images.strip() if isinstance(images, str) and listed_ids(entry) is None else ""


def without_lists(manifest: Mapping[str, Any]) -> tuple[Declared, dict[str, list[str]]]:
    """Return the manifest with null in place of each list, and the lists by the names of their training sets."""
    lists: dict[str, list[str]] = {}

    def take(entry: Declared) -> Declared:
        ids, name = listed_ids(entry), entry.get("name")
        if ids is None or not isinstance(name, str):
            return entry
        lists.setdefault(name, []).extend(ids)
        return entry | {"images": None}

    return _changed(manifest, take), lists


def with_files(manifest: Mapping[str, Any], folder: Path) -> Declared:
    """Return the manifest with the ids of each file that it names and that lies in the folder: lines, or a JSON array.

    Raises OSError and ValueError for a file that cannot be read.
    """

    def read(entry: Declared) -> Declared:
        file = folder / Path(missing_file(entry)).name
        return entry | {"images": _read(file)} if missing_file(entry) and file.is_file() else entry

    return _changed(manifest, read)


def _read(file: Path) -> list[str]:
    text = file.read_text()
    lines = strict_json(text) if text.lstrip().startswith("[") else text.splitlines()
    if not all(isinstance(line, str) for line in lines):
        raise ValueError(f"{file.name} must list ids as texts.")
    return [line.strip() for line in lines if line.strip()]


def _changed(manifest: Mapping[str, Any], change: Callable[[Declared], Declared]) -> Declared:
    told = manifest.get("training_data")
    if not isinstance(told, list):
        return dict(manifest)
    entries = [change(entry) if isinstance(entry, dict) else entry for entry in told]
    return {**manifest, "training_data": entries}
