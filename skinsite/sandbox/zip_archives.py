"""Zip archives from outside: names, links, sizes and overlaps are checked before a member is read."""

import stat
import struct
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO

MAX_RATIO = 200
RATIO_FREE_BYTES = 64 * 1024  # a small member of zeros is no bomb
LOCAL_HEADER = struct.Struct("<4s22xHH")
CHUNK_BYTES = 1024 * 1024
HINT = "Save the model again with its own framework and upload that file as it is."


@dataclass
class UnsafeArchive(Exception):
    """The archive, or one of its members, is not read: a stable kebab-case code, a sentence, and what to do."""

    code: str
    message: str
    hint: str = HINT

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True)
class Bounds:
    """The largest archive that is taken: members, and bytes of all of them unpacked."""

    members: int
    total_bytes: int


def open_checked(file: IO[bytes], bounds: Bounds) -> zipfile.ZipFile:
    """Open a zip archive whose directory holds no trick. Raises UnsafeArchive; nothing has been unpacked then."""
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError) as error:
        message = f"The file is incomplete or damaged: it begins as a zip archive but has no directory ({error})."
        raise UnsafeArchive("truncated", message, "Upload it again, or download it again from its source.") from error
    members = archive.infolist()
    _check_number_and_size(members, bounds)
    for member in members:
        _check_member(member)
    _check_names_are_single(members)
    _check_no_overlap(file, archive, members)
    return archive


def names(file: IO[bytes], bounds: Bounds) -> list[str]:
    """The members' names of a checked archive. Raises UnsafeArchive."""
    with open_checked(file, bounds) as archive:
        return archive.namelist()


def read(archive: zipfile.ZipFile, name: str, limit: int) -> bytes:
    """Return a member of at most `limit` bytes, counted while reading. Raises UnsafeArchive."""
    with _opened(archive, name) as member:
        content = _guarded_read(member, name, limit + 1)
    if len(content) > limit:
        raise UnsafeArchive("too-large", f"The member {name} is above its limit of {limit:,} bytes.")
    return content


def unpack(archive: zipfile.ZipFile, name: str, into: Path) -> None:
    """Write a member to a new file, never more than the directory says. Raises UnsafeArchive."""
    left = archive.getinfo(name).file_size
    with _opened(archive, name) as member, into.open("xb") as copy:
        while chunk := _guarded_read(member, name, CHUNK_BYTES):
            left -= len(chunk)
            if left < 0:
                raise UnsafeArchive("zip-bomb", f"The member {name} is larger than the archive's directory says.")
            copy.write(chunk)


def _opened(archive: zipfile.ZipFile, name: str) -> IO[bytes]:
    try:
        return archive.open(name)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, KeyError) as error:
        raise UnsafeArchive("damaged", f"The member {name} cannot be read: {error}.") from error


def _guarded_read(member: IO[bytes], name: str, size: int) -> bytes:
    try:
        return member.read(size)
    except (zipfile.BadZipFile, EOFError, OSError, ValueError) as error:
        raise UnsafeArchive("damaged", f"The member {name} is damaged: {error}.") from error


def _check_number_and_size(members: list[zipfile.ZipInfo], bounds: Bounds) -> None:
    if len(members) > bounds.members:
        raise UnsafeArchive(
            "too-many-members", f"The archive has {len(members):,} members; {bounds.members:,} is the limit."
        )
    total = sum(member.file_size for member in members)
    if total > bounds.total_bytes:
        message = f"The archive unpacks to {total:,} bytes; {bounds.total_bytes:,} is the limit."
        raise UnsafeArchive("too-large", message)


def _check_member(member: zipfile.ZipInfo) -> None:
    name = member.filename
    parts = name.split("/")
    if not name or name.startswith("/") or ".." in parts or "\\" in name or not name.isprintable():
        raise UnsafeArchive("unsafe-name", f"The archive has a member with an unsafe name: {name!r}.")
    if stat.S_ISLNK(member.external_attr >> 16):
        raise UnsafeArchive("link", f"The archive's member {name} is a symbolic link.")
    if member.flag_bits & 1:
        raise UnsafeArchive("encrypted", f"The archive's member {name} is encrypted.")
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise UnsafeArchive("compression", f"The archive's member {name} is packed by a method that is not taken.")
    if member.file_size > RATIO_FREE_BYTES and member.file_size > MAX_RATIO * member.compress_size:
        ratio = member.file_size // max(1, member.compress_size)
        message = f"The member {name} unpacks to {ratio:,} times its size; {MAX_RATIO} is the limit (a zip bomb)."
        raise UnsafeArchive("zip-bomb", message)


def _check_names_are_single(members: list[zipfile.ZipInfo]) -> None:
    seen: set[str] = set()
    for member in members:
        if member.filename in seen:
            raise UnsafeArchive("double-name", f"The archive has two members named {member.filename}.")
        seen.add(member.filename)


def _check_no_overlap(file: IO[bytes], archive: zipfile.ZipFile, members: list[zipfile.ZipInfo]) -> None:
    """Python 3.11 does not notice members that share bytes, the trick of a bomb without a high ratio."""
    ordered = sorted(members, key=lambda member: member.header_offset)
    ends = [member.header_offset for member in ordered[1:]] + [archive.start_dir]
    for member, end in zip(ordered, ends, strict=True):
        file.seek(member.header_offset)
        head = file.read(LOCAL_HEADER.size)
        if len(head) < LOCAL_HEADER.size or not head.startswith(b"PK\x03\x04"):
            raise UnsafeArchive("damaged", f"The archive's member {member.filename} has no header of its own.")
        _magic, name_length, extra_length = LOCAL_HEADER.unpack(head)
        data_end = member.header_offset + LOCAL_HEADER.size + name_length + extra_length + member.compress_size
        if data_end > end:
            raise UnsafeArchive(
                "zip-bomb", f"The archive's member {member.filename} overlaps the next one (a zip bomb)."
            )
