"""Take images with their metadata and licences from the ISIC Archive, or from one that speaks its API (version 2)."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

from evaluation.isic_archive import schema
from evaluation.isic_archive.addresses import Rules
from evaluation.isic_archive.client import Visitor
from evaluation.isic_archive.folder import Folder
from evaluation.isic_archive.schema import Image
from evaluation.isic_archive.types import ArchiveError, Limits, Manners, Progress, Result

__all__ = ["ArchiveError", "Limits", "Manners", "Progress", "Result", "fetch"]

PAGE_IMAGES = 100
JPEG = b"\xff\xd8\xff"
USUAL_LIMITS = Limits()
USUAL_MANNERS = Manners()
ENDING = frozenset({"busy", "out-of-time", "too-many-bytes"})
"""The codes that end the whole fetch; others concern one image."""
PATIENCE = 3
"""So many images in a row that cannot be reached mean that the archive is gone."""


def fetch(
    *,
    base: str,
    query: str,
    into: Path,
    hosts: frozenset[str],
    limits: Limits = USUAL_LIMITS,
    allow_private: bool = False,
    on_progress: Callable[[Progress], bool] | None = None,
    manners: Manners = USUAL_MANNERS,
) -> Result:
    """Fill a folder with the images of a query, all images where it is empty; go on where an earlier run stopped.

    `base` is the address of the API (https://api.isic-archive.com/api/v2), `hosts` the only names that are asked.
    `into` receives images/<isic_id>.jpg, metadata.csv and state.json. `on_progress` is called after each listing and
    each image, and cancels when it returns False. Raises ArchiveError; what was fetched stays, with its metadata.
    """
    folder = Folder(into, _first_page(base, query))
    fetching = _Fetching(Visitor(Rules(hosts, allow_private), limits, manners), folder, limits, on_progress)
    try:
        cancelled = fetching.run()
    finally:
        folder.save()
    licences = Counter(str(row["copyright_license"]) for row in folder.rows.values())
    fetched = fetching.fetched
    return Result(fetched, len(folder.rows) - fetched, dict(folder.failed), licences, cancelled)


def _first_page(base: str, query: str) -> str:
    asked = {"limit": PAGE_IMAGES} | ({"query": query} if query else {})
    return f"{base.rstrip('/')}/images/{'search/' if query else ''}?{urlencode(asked)}"


class _Fetching:
    """One run over the pages; `fetched` counts its own images, `bytes` those of all runs."""

    def __init__(
        self, visitor: Visitor, folder: Folder, limits: Limits, tell: Callable[[Progress], bool] | None
    ) -> None:
        self.fetched = 0
        self._visitor = visitor
        self._folder = folder
        self._limits = limits
        self._tell = tell
        self._bytes = folder.bytes()
        self._unreachable = 0

    def run(self) -> bool:
        """Take page after page; return whether the run was cancelled."""
        folder = self._folder
        while folder.cursor and len(folder.rows) < self._limits.images:
            page = schema.page(self._visitor.page(folder.cursor))
            folder.count = folder.count if page.count is None else page.count
            if not self._goes_on():
                return True
            for image in page.images:
                if folder.known >= self._limits.images:
                    return False
                self._take(image)
                if not self._goes_on():
                    return True
            folder.cursor = page.next if page.images else None
            folder.save()
        return False

    def _goes_on(self) -> bool:
        known = self._folder.known
        total = max(known, min(self._folder.count, self._limits.images))
        return self._tell is None or self._tell(Progress(known, total, self._bytes))

    def _take(self, image: Image) -> None:
        """Have the image in the folder with its row, or its failure. Raises ArchiveError when that ends the run."""
        folder, path = self._folder, self._folder.image(image.isic_id)
        if image.isic_id in folder.rows:
            return
        if not path.exists():
            try:
                self._download(image.url, path)
            except ArchiveError as error:
                if error.code in ENDING:
                    raise
                folder.failed[image.isic_id] = str(error)
                self._unreachable = self._unreachable + 1 if error.code == "unreachable" else 0
                if self._unreachable == PATIENCE:
                    raise
                return
            self._unreachable = 0
            self.fetched += 1
        folder.failed.pop(image.isic_id, None)
        folder.rows[image.isic_id] = image.row
        self._bytes += path.stat().st_size

    def _download(self, url: str, path: Path) -> None:
        left = self._limits.total_bytes - self._bytes
        part = path.with_suffix(".part")
        try:
            with part.open("w+b") as file:
                self._visitor.download(url, file, min(self._limits.image_bytes, left))
                file.seek(0)
                if file.read(len(JPEG)) != JPEG:
                    raise ArchiveError("not-a-jpeg", "The file is no JPEG image. Tell the archive's operators.")
            part.replace(path)
        except ArchiveError as error:
            if error.code == "too-large" and left < self._limits.image_bytes:
                message = f"The images are above the limit of {self._limits.total_bytes:,} bytes. Narrow the query."
                raise ArchiveError("too-many-bytes", message) from error
            raise
        finally:
            part.unlink(missing_ok=True)
