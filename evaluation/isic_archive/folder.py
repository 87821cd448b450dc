"""What is here already: complete images, their rows, and the page at which the listing stopped."""

import json
from pathlib import Path
from typing import Any

from evaluation.isic_archive.schema import Row
from evaluation.isic_archive.types import ArchiveError
from skinsite import spreadsheet

FIRST_COLUMNS = ("isic_id", "attribution", "copyright_license")


class Folder:
    """A folder with images/, metadata.csv and state.json; what has no .part at its end is complete.

    `cursor` is the page to ask next, `count` the images of the whole query as far as the archive told. `first` is the
    first page and stands for the query: a folder serves one query. A folder that is finished, or that lacks images
    that failed, begins again at the first page, so that these get another chance.
    """

    def __init__(self, path: Path, first: str) -> None:
        self.first = first
        self._path = path
        self._state = path / "state.json"
        (path / "images").mkdir(parents=True, exist_ok=True)
        state: dict[str, Any] = json.loads(self._state.read_text()) if self._state.exists() else {"first": first}
        if state["first"] != first:
            raise ArchiveError("another-query", "The folder holds images of another query. Take an empty folder.")
        self.cursor: str | None = first if state.get("failed") else state.get("next") or first
        self.count: int = state.get("count", 0)
        self.failed: dict[str, str] = {}
        self.rows: dict[str, Row] = {
            isic_id: row for isic_id, row in state.get("rows", {}).items() if self.image(isic_id).exists()
        }

    @property
    def known(self) -> int:
        """How many images are dealt with: here or failed."""
        return len(self.rows) + len(self.failed)

    def image(self, isic_id: str) -> Path:
        return self._path / "images" / f"{isic_id}.jpg"

    def bytes(self) -> int:
        """How much the images with a row weigh."""
        return sum(self.image(isic_id).stat().st_size for isic_id in self.rows)

    def save(self) -> None:
        """Write metadata.csv, in the archive's own order of columns, then the state; each is replaced as a whole."""
        columns = [*FIRST_COLUMNS, *sorted({name for row in self.rows.values() for name in row} - set(FIRST_COLUMNS))]
        table: list[list[Any]] = [[row.get(name) for name in columns] for row in self.rows.values()]
        _replace(self._path / "metadata.csv", b"".join(spreadsheet.lines([columns, *table])))
        state = {
            "first": self.first,
            "next": self.cursor,
            "count": self.count,
            "failed": self.failed,
            "rows": self.rows,
        }
        _replace(self._state, json.dumps(state).encode())


def _replace(path: Path, content: bytes) -> None:
    part = path.with_name(f"{path.name}.part")
    part.write_bytes(content)
    part.replace(path)
