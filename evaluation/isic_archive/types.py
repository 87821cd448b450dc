"""What a fetch is allowed, what it tells while it runs, and what it answers."""

from collections import Counter
from dataclasses import dataclass


class ArchiveError(Exception):
    """What happened, to what, and what to do, in one text for people; `code` is stable and kebab-case."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Limits:
    """The most that one fetch takes; images and bytes count what earlier runs left in the folder."""

    images: int = 2000
    image_bytes: int = 50_000_000
    total_bytes: int = 8_000_000_000
    seconds: float = 3600
    page_bytes: int = 5_000_000


@dataclass(frozen=True)
class Manners:
    """Seconds between two requests, and before the first retry; each further retry waits twice as long."""

    gap_s: float = 0.2
    backoff_s: float = 1


@dataclass(frozen=True)
class Progress:
    """Images dealt with (here or failed), images in all, and the bytes of those that are here."""

    done: int
    total: int
    bytes: int


@dataclass(frozen=True)
class Result:
    """`fetched` and `skipped` add up to the images in the folder; `skipped` ones were there before this run.

    `failed` names each image that could not be had with the reason; `licences` counts all images in the folder.
    """

    fetched: int
    skipped: int
    failed: dict[str, str]
    licences: Counter[str]
    cancelled: bool
