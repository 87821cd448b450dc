"""The pictures of a data set: surveyed and decoded by confined children, stored by us."""

import hashlib
import logging
import os
import struct
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from classifier.inference.input import images
from classifier.services.cases.create import THUMBNAIL_SIDE
from evaluation.intake import near_duplicates
from evaluation.intake.archive_child import DECODE, DECODED, FACT, FACT_BYTES, PICTURES, SURVEY, SURVEYED, TABLE_BYTES
from evaluation.intake.label_rows import Row
from evaluation.intake.table import Refused
from evaluation.models import DataSet, LabelledImage
from evaluation.services.files import delete_pictures
from skinsite.jobs import Failure
from skinsite.sandbox import ask as sandbox
from skinsite.sandbox import confine, scratch
from skinsite.sandbox.ask import ChildStopped, InvalidChildOutput
from skinsite.sandbox.run import ExitReason, Limits

SCHEMAS = {SURVEY: SURVEYED, DECODE: DECODED}
GIB = 1024**3
ANSWER_BYTES = 64 * 1024**2  # 100,000 long names
UNPACKED_BYTES = 64 * 1000**3
DISK = 2 * GIB
SURVEY_SECONDS = 120
SECONDS_A_PICTURE = 20
TOO_LONG = "Decoding was stopped: it took too long or too much memory."
UNTRUSTED = "Decoding gave no picture that can be trusted."
logger = logging.getLogger(__name__)
Keep = Callable[[Any, list[str]], Any]
"""What becomes of decoded pixels, uint8 (height, width, 3), and of what was done to them."""


@dataclass(frozen=True)
class Survey:
    """What a source holds: pictures with their packed sizes, tables' contents, and what was refused by name."""

    pictures: list[tuple[str, int]]
    tables: list[bytes]
    refused: list[Refused]


@dataclass(frozen=True)
class Source:
    """A zip archive, or a folder on the server's own disk."""

    archive: Path | None
    folder: Path | None

    @classmethod
    def of(cls, data_set: DataSet) -> "Source":
        if data_set.folder:
            return cls(None, Path(data_set.folder))
        return cls(settings.SKINSITE_DATA / data_set.archive, None)

    def survey(self) -> Survey:
        """Raises Failure where the archive is refused as a whole."""
        if self.folder is not None:
            return _folder_survey(self.folder)
        with _scratch() as folder, self.opened() as descriptor:
            request = {"descriptor": descriptor, "members": settings.ARCHIVE_MEMBERS, "total_bytes": UNPACKED_BYTES}
            answer = _run(SURVEY, request | {"folder": str(folder)}, folder, descriptor)
            if answer is None:
                raise _damaged()
            if "problem" in answer:
                code, message = answer["problem"]
                raise Failure(code, message, "Pack the pictures again as a plain zip and upload it.")
            try:
                files = [folder / f"table-{place}" for place in range(len(answer["tables"]))]
                tables = [sandbox.read_file(file, TABLE_BYTES) for file in files]
            except InvalidChildOutput as error:
                logger.warning("A child's tables are not used: %s", error)
                raise _damaged() from error
            if not all(name.isprintable() for name, _size in answer["pictures"]):
                raise _damaged()
            refused = [Refused(None, name, reason) for name, reason in answer["refused"]]
            return Survey([(name, size) for name, size in answer["pictures"]], tables, refused)

    @contextmanager
    def opened(self) -> Iterator[int | None]:
        if self.archive is None:
            yield None
            return
        try:
            descriptor = os.open(self.archive, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise Failure("no-archive", "The stored upload is gone.", "Upload the data set again.") from error
        try:
            yield descriptor
        finally:
            os.close(descriptor)


@dataclass(frozen=True, eq=False)
class Stored:
    """A decoded picture after its files were written."""

    pixels: str
    thumbnail: str
    sha256: str
    perceptual: str
    width: int
    height: int
    changes: list[str]


def decode(source: Source, names: Sequence[str], keep: Keep | None = None) -> list[Any]:
    """Return for each name what `keep` makes of its picture (by default a Stored one), or the reason why there is none.

    A child that dies loses one picture, and so does one that leaves no facts that can be read: those before it, which
    may be good, are decoded once more.
    """
    answers: list[Any] = []
    keep = keep or _stored
    try:
        while len(answers) < len(names):
            left = names[len(answers) :]
            answers += _decode_some(source, left, keep) or _decode_some(source, left[:1], keep) or [UNTRUSTED]
    except BaseException:
        discard(answers)
        raise
    return answers


def discard(answers: Iterable[Any]) -> None:
    """Delete the files of pictures whose rows were never written."""
    delete_pictures(answer for answer in answers if isinstance(answer, Stored))


def row(data_set: DataSet, name: str, member: str, labelled: Row, picture: Stored) -> LabelledImage:
    """Build the unsaved row of a picture and its label."""
    told = {key: value for key, value in vars(labelled).items() if key not in ("row", "image", "label")}
    return LabelledImage(
        data_set=data_set, name=name, file_name=member[-500:], label=labelled.label.code, **told, **vars(picture)
    )


def _damaged() -> Failure:
    return Failure("damaged-archive", "The archive could not be read.", "Pack it again as a plain zip.")


def _folder_survey(folder: Path) -> Survey:
    found = []
    for place, _folders, files in os.walk(folder):
        for name in sorted(files):
            path = Path(place, name)
            if name.lower().endswith(PICTURES) and not path.is_symlink():
                found.append((str(path.relative_to(folder)), path.stat().st_size))
    return Survey(sorted(found), [], [])


def _decode_some(source: Source, names: Sequence[str], keep: Keep) -> list[Any]:
    """Run one child and return what it finished, in order; nothing where its facts are none.

    A crash leaves the list shorter than the names, and TOO_LONG alone where it came before the first one was done.
    """
    with _scratch() as folder, source.opened() as descriptor:
        request = {"names": list(names), "folder": str(folder), "descriptor": descriptor}
        if source.folder is not None:
            request["root"] = str(source.folder)
        _run(DECODE, request, folder, descriptor, readable=[source.folder] if source.folder else [], size=len(names))
        try:
            lines = sandbox.read_file(folder / "facts", len(names) * FACT_BYTES).splitlines()
        except InvalidChildOutput as error:
            logger.warning("A child's facts about pictures are not used: %s", error)
            return []
        return [_kept(folder, fact, keep) for fact in _facts(lines[: len(names)])] if lines else [TOO_LONG]


def _facts(lines: Sequence[bytes]) -> Iterator[dict[str, Any]]:
    """The child's lines as far as they are what they must be, one for each picture in order; it is not trusted."""
    for place, line in enumerate(lines):
        try:
            fact = sandbox.parse(line, FACT)
        except InvalidChildOutput as error:
            logger.warning("A child's facts about pictures are not used: %s", error)
            return
        if fact["place"] != place:
            return
        yield fact


def _kept(folder: Path, fact: dict[str, Any], keep: Keep) -> Any:
    if "reason" in fact:
        return sandbox.plain(fact["reason"])
    height, width = fact["height"], fact["width"]
    if height * width > images.Limits().pixels:
        return UNTRUSTED
    path = folder / str(fact["place"])
    try:
        content = sandbox.read_file(path, height * width * 3)
    except InvalidChildOutput:
        return UNTRUSTED
    if len(content) != height * width * 3:
        return UNTRUSTED
    path.unlink()
    pixels = np.frombuffer(content, np.uint8).reshape(height, width, 3)
    return keep(pixels, [sandbox.plain(change) for change in fact["changes"]])


def _stored(pixels: Any, changes: list[str]) -> Stored:
    height, width = pixels.shape[:2]
    name = f"datasets/{uuid.uuid4().hex}"
    digest = hashlib.sha256(struct.pack("<II", height, width) + pixels.tobytes()).hexdigest()
    return Stored(
        pixels=default_storage.save(f"{name}.png", ContentFile(images.encode_png(pixels))),
        thumbnail=default_storage.save(f"{name}.webp", ContentFile(images.thumbnail(pixels, THUMBNAIL_SIDE))),
        sha256=digest,
        perceptual=near_duplicates.perceptual_hash(pixels),
        width=width,
        height=height,
        changes=changes,
    )


def _scratch() -> AbstractContextManager[Path]:
    base = settings.SKINSITE_DATA / "datasets" / "staging"
    base.mkdir(parents=True, exist_ok=True, mode=0o700)
    return scratch.opened(base)


def _run(
    task: str,
    request: dict[str, Any],
    folder: Path,
    descriptor: int | None,
    *,
    readable: Sequence[Path] = (),
    size: int = 0,
) -> dict[str, Any] | None:
    """Run a task in a confined child; None where it did not answer. Raises Failure where nothing can confine it."""
    unconfined = settings.SKINSITE_UNCONFINED_ADMISSION
    if confine.missing() and not unconfined:
        raise Failure(
            "confinement-unavailable",
            f"This server cannot decode pictures safely: its kernel lacks {' and '.join(confine.missing())}.",
            "Run the portal on Linux 5.13 or later with Landlock and seccomp.",
        )
    limits = Limits(seconds=SECONDS_A_PICTURE + size if size else SURVEY_SECONDS, memory=2 * GIB, disk=DISK)
    try:
        answer = sandbox.ask(
            task,
            request=request,
            schema=SCHEMAS[task],
            folder=folder,
            limits=limits,
            readable=readable,
            descriptors=[] if descriptor is None else [descriptor],
            unconfined=unconfined,
            answer_bytes=ANSWER_BYTES,
            verbatim=("pictures",),
        )
    except ChildStopped as stopped:
        if stopped.result.reason is ExitReason.NOT_ISOLATED:
            raise Failure(
                "confinement-unavailable",
                f"This server cannot decode pictures safely: {sandbox.plain(stopped.result.stderr_tail)}.",
                "docs/safety.md says what the machine must permit.",
            ) from stopped
        return None
    except InvalidChildOutput as error:
        logger.warning("%s left an answer that is not used: %s", task, error)
        return None
    return answer.content
