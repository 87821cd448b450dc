"""Model files on their way in: streamed to disk once, hashed once, and offered again until they are registered."""

import hashlib
import os
import time
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.core import signing

from classifier.models import ModelRecord
from skinsite.refusal import Problem, Refusal

CHUNK_BYTES = 1024 * 1024
KEPT_SECONDS = 24 * 3600
SALT = "model-upload"
GONE = "The file that was sent before is kept no longer: choose it again."


@dataclass(frozen=True)
class KeptUpload:
    """A private file below SKINSITE_DATA under a name of our own; `file_name` is what its sender called it."""

    key: str
    file_name: str
    sha256: str
    size: int

    @property
    def path(self) -> Path:
        return uploads_folder() / self.key

    def token(self, user: Any) -> str:
        """What the form carries, so that this person, and nobody else, may register the file for a day."""
        return signing.dumps([user.pk, asdict(self)], salt=SALT)

    def discard(self) -> None:
        self.path.unlink(missing_ok=True)


def keep(file: IO[bytes], file_name: str) -> KeptUpload:
    """Keep what was sent. Raises Refusal above the limit of size.

    A large file of a form is on the disk already: it gets a second name there, and is read only to be hashed.
    """
    _remove_abandoned()
    key = uuid.uuid4().hex
    path = uploads_folder() / key
    on_disk = getattr(file, "temporary_file_path", None)
    try:
        if on_disk is not None:
            os.link(on_disk(), path)
            path.chmod(0o600)
            file.seek(0)
            digest, size = _read(file.read, lambda _chunk: None)
        else:
            with _private(path) as copy:
                digest, size = _read(file.read, copy.write)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return KeptUpload(key, file_name[-255:], digest, size)


def kept_again(record: ModelRecord) -> KeptUpload:
    """Give the original of a model a second name, for another record; nothing is read. Raises OSError if it is gone."""
    original, key = record.upload_path, uuid.uuid4().hex
    os.utime(original)  # so that it does not look abandoned before its record is written
    os.link(original, uploads_folder() / key, follow_symlinks=False)
    return KeptUpload(key, record.upload_name, record.upload_sha256, original.stat().st_size)


def kept_upload(token: str, user: Any) -> KeptUpload:
    """Return the file that a form's token stands for. Raises Refusal if it is another person's, too old or gone."""
    try:
        owner, fields = signing.loads(token, salt=SALT, max_age=KEPT_SECONDS)
    except signing.BadSignature as error:
        raise Refusal(Problem("file", GONE)) from error
    kept = KeptUpload(**fields)
    if owner != user.pk or not kept.path.is_file() or _is_registered(kept.key):
        raise Refusal(Problem("file", GONE))
    os.utime(kept.path)
    return kept


def uploads_folder() -> Path:
    folder = Path(settings.SKINSITE_DATA, "models", "uploads")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _private(path: Path) -> IO[bytes]:
    return os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb")


def _read(read: Callable[[int], bytes], use: Callable[[bytes], Any]) -> tuple[str, int]:
    """Return the SHA-256 and the size of a stream, a piece at a time."""
    digest, size = hashlib.sha256(), 0
    while chunk := read(CHUNK_BYTES):
        size += len(chunk)
        if size > settings.MODEL_FILE_BYTES:
            limit = settings.MODEL_FILE_BYTES / 1024**3
            raise Refusal(Problem("file", f"The model file is above the limit of {limit:.3g} GB."))
        digest.update(chunk)
        use(chunk)
    return digest.hexdigest(), size


def _remove_abandoned() -> None:
    """Remove what was sent more than a day ago and registered by nobody."""
    for path in uploads_folder().iterdir():
        try:
            old = time.time() - path.stat().st_mtime > KEPT_SECONDS
        except FileNotFoundError:
            continue
        if old and not _is_registered(path.name):
            path.unlink(missing_ok=True)


def _is_registered(key: str) -> bool:
    return ModelRecord.objects.filter(upload=f"models/uploads/{key}").exists()
