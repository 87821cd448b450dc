"""Take images with their metadata and licences from the ISIC Archive, or from one that speaks its API (version 2)."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from evaluation.isic_archive import schema
from evaluation.isic_archive.client import Client
from evaluation.isic_archive.types import ArchiveError
from skinsite import spreadsheet

IMAGE_BYTES, PAGE_BYTES, TOTAL_BYTES = 50_000_000, 5_000_000, 8_000_000_000
PATIENCE = 3  # so many images in a row that cannot be reached mean that the archive is gone


def fetch(*, base: str, query: str, into: Path, hosts: frozenset[str], images: int) -> Iterator[tuple[int, int]]:
    """Fill a folder with the first images of a query; yield after each step how many are dealt with, of how many.

    `base` is the address of the API. `into` receives listing.json, images/<isic_id>.jpg for each that can be had, and
    at last metadata.csv of all. Whoever stops and calls again goes on where it was. Raises ArchiveError.
    """
    search = f"search/?{urlencode({'limit': 100, 'query': query})}" if query else "?limit=100"
    first = f"{base.rstrip('/')}/images/{search}"
    (into / "images").mkdir(parents=True, exist_ok=True)
    client, stored = Client(base, hosts), into / "listing.json"
    state: dict[str, Any] = {"first": first, "next": first, "images": {}}
    state |= json.loads(stored.read_text()) if stored.exists() else {}
    if state["first"] != first:
        raise ArchiveError("another-query", "The folder holds images of another query. Take an empty folder.")
    while state["next"] and len(state["images"]) < images:
        page = schema.page(client.get(state["next"], PAGE_BYTES))
        new = [image for image in page.results if image.isic_id not in state["images"]]
        state["next"] = page.next if new else None  # so that a listing without end ends
        state["images"] |= {image.isic_id: (image.url, image.row()) for image in new}
        _save(stored, json.dumps(state).encode())
        yield 0, min(page.count or images, images)
    yield from _download(client, list(state["images"].items())[:images], into)


def _download(client: Client, images: list[Any], folder: Path) -> Iterator[tuple[int, int]]:
    unreachable = size = 0
    for done, (isic_id, (url, _)) in enumerate(images, start=1):
        path = folder / "images" / f"{isic_id}.jpg"
        if path.exists():
            size += path.stat().st_size
            continue
        if size > TOTAL_BYTES:
            raise ArchiveError("too-many-bytes", f"The images are above {TOTAL_BYTES:,} bytes. Narrow the query.")
        try:
            content = client.get(url, IMAGE_BYTES)
            unreachable, size = 0, size + len(content)
            if content.startswith(b"\xff\xd8\xff"):  # else it is no JPEG, but perhaps a page that says "not now"
                _save(path, content)
        except ArchiveError as error:
            unreachable = unreachable + 1 if error.code == "unreachable" else 0
            if error.code == "busy" or unreachable == PATIENCE:
                raise
        yield done, len(images)
    columns = list(dict.fromkeys(name for _, (_, row) in images for name in row))
    table = [columns, *([row.get(name) for name in columns] for _, (_, row) in images)]
    _save(folder / "metadata.csv", b"".join(spreadsheet.lines(table)))


def _save(path: Path, content: bytes) -> None:
    """Replace a file as a whole: what has no .part at its end is complete."""
    part = path.with_name(f"{path.name}.part")
    part.write_bytes(content)
    part.replace(path)
