"""The confined child's part: look into an archive, and turn its pictures into raw pixels."""

import io
import json
import os
import zipfile
from pathlib import Path
from typing import IO, Any

import numpy as np

from classifier.inference.input import images
from skinsite.sandbox import zip_archives
from skinsite.sandbox.zip_archives import UnsafeArchive

SURVEY = "evaluation.intake.archive_child:survey"
DECODE = "evaluation.intake.archive_child:decode"
"""The tasks of this file, as the sandbox finds them."""
TABLE_BYTES = 100 * 1000 * 1000
JUNK = ("__macosx/", ".ds_store", "thumbs.db", "desktop.ini", "._")
PICTURES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".bmp", ".gif")
TABLES = (".csv", ".tsv", ".txt")
NESTED = (".zip", ".rar", ".7z", ".tar", ".gz", ".tgz", ".bz2", ".xz")
STAGED_BYTES = 600 * 1000 * 1000
MEMBERS = 1_000_000
NAME = {"type": "string", "minLength": 1, "maxLength": 70_000}
REASON = {"type": "string", "maxLength": 500}
SURVEYED: dict[str, object] = {
    "type": "object",
    "if": {"required": ["problem"]},
    "then": {
        "additionalProperties": False,
        "properties": {
            "problem": {
                "type": "array",
                "prefixItems": [{"type": "string", "pattern": "^[a-z0-9-]{1,40}$"}, {"type": "string"}],
                "minItems": 2,
                "maxItems": 2,
            }
        },
    },
    "else": {
        "additionalProperties": False,
        "required": ["pictures", "tables", "refused"],
        "properties": {
            "pictures": {
                "type": "array",
                "maxItems": MEMBERS,
                "items": {
                    "type": "array",
                    "prefixItems": [NAME, {"type": "integer", "minimum": 0}],
                    "minItems": 2,
                    "maxItems": 2,
                },
            },
            "tables": {"type": "array", "maxItems": MEMBERS, "items": NAME},
            "refused": {
                "type": "array",
                "maxItems": MEMBERS,
                "items": {"type": "array", "items": {"type": "string"}, "minItems": 2, "maxItems": 2},
            },
        },
    },
}
"""What `survey` answers."""
DECODED: dict[str, object] = {"type": "object", "additionalProperties": False}
"""What `decode` answers: all that it has to tell is in its facts."""
SIDE = {"type": "integer", "minimum": 1, "maximum": 100_000}
FACT: dict[str, object] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["place"],
    "properties": {
        "place": {"type": "integer", "minimum": 0},
        "height": SIDE,
        "width": SIDE,
        "changes": {"type": "array", "maxItems": 10, "items": {"type": "string", "maxLength": 200}},
        "reason": REASON,
    },
    "oneOf": [{"required": ["reason"]}, {"required": ["height", "width", "changes"]}],
}
"""One line of `facts`: a picture's size and what was done to it, or the reason why there is none."""
FACT_BYTES = 8 * 1024


def survey(descriptor: int, members: int, total_bytes: int, folder: str) -> dict[str, object]:
    """Check the archive's directory; copy its tables to `folder`; return what is inside, or the problem."""
    with os.fdopen(os.dup(descriptor), "rb") as file:
        try:
            archive = zip_archives.open_checked(file, zip_archives.Bounds(members, total_bytes))
        except UnsafeArchive as refusal:
            file.seek(0)
            if file.read(2) != b"PK":
                return {"problem": ["not-a-zip", "The file is no zip archive: its content is something else."]}
            return {"problem": [refusal.code, refusal.message]}
        pictures: list[tuple[str, int]] = []
        tables: list[str] = []
        refused: list[tuple[str, str]] = []
        for member in archive.infolist():
            name, lower = member.filename, member.filename.lower()
            if member.is_dir() or _is_junk(lower):
                continue
            if lower.endswith(PICTURES):
                pictures.append((name, member.file_size))
            elif lower.endswith(TABLES):
                try:
                    content = zip_archives.read(archive, name, TABLE_BYTES)
                except UnsafeArchive as refusal:
                    refused.append((name, refusal.message))
                    continue
                Path(folder, f"table-{len(tables)}").write_bytes(content)
                tables.append(name)
            elif lower.endswith(NESTED):
                refused.append((name, "an archive inside the archive is not opened: pack its pictures directly"))
            else:
                refused.append((name, "the file is neither a picture that can be read nor a label table"))
        return {"pictures": pictures, "tables": tables, "refused": refused}


def decode(names: list[str], folder: str, descriptor: int | None = None, root: str = "") -> dict[str, object]:
    """Write the raw pixels of the named pictures to `folder`, one file each, and a line of facts as each is done.

    The pictures come from the zip archive at `descriptor`, or from below `root`. It stops early when `folder` is full.
    """
    written = 0
    with Path(folder, "facts").open("w") as facts, _Source(descriptor) as archive:
        for place, name in enumerate(names):
            if written > STAGED_BYTES:
                break
            fact: dict[str, object] = {"place": place}
            try:
                picture = images.decode(_opened(archive, root, name))
                Path(folder, str(place)).write_bytes(np.ascontiguousarray(picture.pixels).tobytes())
                height, width = picture.pixels.shape[:2]
                written += height * width * 3
                fact |= {"height": height, "width": width, "changes": list(picture.changes)}
            except images.ImageRefused as reason:
                fact["reason"] = str(reason)[:500]
            except UnsafeArchive as refusal:
                fact["reason"] = refusal.message[:500]
            except OSError as error:
                fact["reason"] = f"The file cannot be read: {error.strerror or 'damaged'}."
            facts.write(json.dumps(fact) + "\n")
            facts.flush()
    return {}


def _is_junk(lower: str) -> bool:
    base = lower.rpartition("/")[2]
    return lower.startswith(JUNK[0]) or "/__macosx/" in lower or base in JUNK or base.startswith("._")


class _Source:
    """The archive at a descriptor as a context, or None where the pictures are files."""

    def __init__(self, descriptor: int | None) -> None:
        self.file: IO[bytes] | None = None if descriptor is None else os.fdopen(os.dup(descriptor), "rb")

    def __enter__(self) -> Any:
        if self.file is None:
            return None
        return zipfile.ZipFile(self.file)

    def __exit__(self, *exception: object) -> None:
        if self.file is not None:
            self.file.close()


def _opened(archive: Any, root: str, name: str) -> IO[bytes]:
    if archive is None:
        path = Path(root, name)
        if path.is_symlink():
            raise OSError(0, "it is a link")
        return io.BytesIO(path.read_bytes())
    return io.BytesIO(zip_archives.read(archive, name, images.Limits().bytes))
