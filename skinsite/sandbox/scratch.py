"""The folder in which one admission works: made below the bundles', and removed whatever a child left in it."""

# ruff: noqa: PTH208 (by descriptor, which pathlib cannot)
import itertools
import logging
import os
import secrets
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from skinsite.sandbox.usage import FOLDER

PREFIX = ".admission-"
ABANDONED_S = 6 * 3600

log = logging.getLogger(__name__)


@contextmanager
def opened(into: Path) -> Iterator[Path]:
    """Yield a new folder below `into`, which is removed afterwards; what cannot be removed is noted in the log."""
    folder = Path(tempfile.mkdtemp(dir=into, prefix=PREFIX))
    try:
        yield folder
    finally:
        _remove_or_note(folder)


def remove_abandoned(into: Path) -> None:
    """Remove what an admission left whose process was killed; a running one is younger than that."""
    for folder in into.glob(f"{PREFIX}*"):
        try:
            old = time.time() - folder.lstat().st_mtime > ABANDONED_S
        except OSError:  # another admission has just removed it
            continue
        if old:
            _remove_or_note(folder)


def remove(folder: Path) -> None:
    """Remove a folder and all below it, however deep: what lies in a folder's folder is first moved to the top.

    A path may be too long for the kernel, and the levels too many for recursion. Call it when the child is dead.
    """
    top = os.open(folder, FOLDER)
    fresh = (f"{secrets.token_hex(8)}-{number}" for number in itertools.count())
    try:
        while names := os.listdir(top):
            for name in names:
                if _is_folder(name, top):
                    _empty(name, top, fresh)
                    os.rmdir(name, dir_fd=top)
                else:
                    os.unlink(name, dir_fd=top)
    finally:
        os.close(top)
    folder.rmdir()


def _empty(name: str, top: int, fresh: Iterator[str]) -> None:
    """Remove a folder's files, and move its folders up to `top`. A folder may have been made without rights."""
    os.chmod(name, stat.S_IRWXU, dir_fd=top)
    inner = os.open(name, FOLDER, dir_fd=top)
    try:
        for below in os.listdir(inner):
            if _is_folder(below, inner):
                os.chmod(below, stat.S_IRWXU, dir_fd=inner)
                os.rename(below, next(fresh), src_dir_fd=inner, dst_dir_fd=top)
            else:
                os.unlink(below, dir_fd=inner)
    finally:
        os.close(inner)


def _is_folder(name: str, folder: int) -> bool:
    return stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)


def _remove_or_note(folder: Path) -> None:
    try:
        remove(folder)
    except FileNotFoundError:
        pass
    except OSError as error:
        log.warning("%s cannot be removed: %s", folder, error)
