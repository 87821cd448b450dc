"""Zip archives that claim to be a `.keras` file and are more than that."""

import io
import stat
import struct
import zipfile
from pathlib import Path

from tests.admission.attacks import Bait, add, attack
from tests.admission.attacks.keras_configs import CONFIG, weights

Members = dict[str, bytes]


def keras_members() -> Members:
    return {"metadata.json": b"{}", "config.json": CONFIG, "model.weights.h5": weights()}


def packed(members: Members, method: int = zipfile.ZIP_STORED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def with_member(kind: str, code: str, label: str, name: str, content: bytes, method: int = zipfile.ZIP_STORED) -> None:
    add(kind, label, lambda path, _bait: _write(path, packed({**keras_members(), name: content}, method)), code=code)


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


with_member("zip bomb", "zip-bomb", "zeros", "assets/zeros.bin", bytes(200_000_000), zipfile.ZIP_DEFLATED)
with_member("zip member's name", "unsafe-name", "goes up", "../../../tmp/escaped", b"x")
with_member("zip member's name", "unsafe-name", "absolute", "/tmp/escaped", b"x")
with_member("zip member's name", "unsafe-name", "backslash", "..\\..\\escaped", b"x")
with_member("zip member's name", "unsafe-name", "control characters", "a\x1b[31m\r\nb", b"x")
with_member("zip member's name", "unsafe-name", "right to left", "assets/\u202egpj.exe", b"x")
with_member(
    "zip inside a zip", "unexpected-member", "an archive in the archive", "assets/more.keras", packed({"a": b"1"})
)
with_member("zip method", "compression", "bzip2", "assets/a", bytes(10**6), zipfile.ZIP_BZIP2)
with_member("zip method", "compression", "lzma", "assets/a", bytes(10**6), zipfile.ZIP_LZMA)


@attack("zip bomb", code="zip-bomb")
def quine_of_overlapping_members(path: Path, _bait: Bait) -> None:
    """Every entry of the directory claims the same bytes."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in keras_members().items():
            archive.writestr(name, content)
        for info in archive.filelist[1:]:
            info.header_offset = archive.filelist[0].header_offset
    path.write_bytes(file.getvalue())


@attack("zip bomb", code="too-many-members")
def seventy_thousand_members(path: Path, _bait: Bait) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(70_000):
            archive.writestr(str(number), b"")


@attack("zip bomb")
def directory_that_lies_about_sizes(path: Path, _bait: Bait) -> None:
    """The directory says 10 bytes, the member inflates to 100 MB."""
    content = bytearray(packed({**keras_members(), "config.json": bytes(100_000_000)}, zipfile.ZIP_DEFLATED))
    place = content.rfind(b"PK\x01\x02", 0, content.rfind(b"config.json"))
    content[place + 24 : place + 28] = struct.pack("<I", 10)
    path.write_bytes(content)


@attack("zip bomb", code="too-large")
def huge_zip64_claim(path: Path, _bait: Bait) -> None:
    content = bytearray(packed(keras_members()))
    place = content.rfind(b"PK\x01\x02", 0, content.rfind(b"model.weights.h5"))
    content[place + 24 : place + 28] = struct.pack("<I", 0xFFFF_FFF0)
    path.write_bytes(content)


@attack("zip link", code="link")
def symbolic_link(path: Path, bait: Bait) -> None:
    link = zipfile.ZipInfo("model.weights.h5")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    members = keras_members()
    del members["model.weights.h5"]
    path.write_bytes(packed(members))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(link, str(bait.secret))


@attack("zip encryption", code="encrypted")
def encrypted_member(path: Path, _bait: Bait) -> None:
    content = bytearray(packed(keras_members()))
    place = content.rfind(b"PK\x01\x02", 0, content.rfind(b"config.json"))
    content[place + 8] |= 1
    path.write_bytes(content)


@attack("zip directory", code="damaged")
def two_names_for_one_member(path: Path, _bait: Bait) -> None:
    """The directory says config.json, the member itself says something else: two readers see two files."""
    content = bytearray(packed(keras_members()))
    content[content.find(b"config.json") : content.find(b"config.json") + 11] = b"kernel.json"
    path.write_bytes(content)


@attack("zip directory", code="double-name")
def one_name_twice(path: Path, _bait: Bait) -> None:
    content = bytearray(packed({**keras_members(), "konfig.json": b"{}"}))
    path.write_bytes(content.replace(b"konfig.json", b"config.json"))


@attack("zip directory", code="truncated")
def cut_in_half(path: Path, _bait: Bait) -> None:
    content = packed(keras_members())
    path.write_bytes(content[: len(content) // 2])


@attack("zip directory", code="unknown-archive")
def hidden_by_a_second_directory(path: Path, _bait: Bait) -> None:
    """A whole second archive stands behind the first: which one is read depends on the reader."""
    path.write_bytes(packed(keras_members()) + packed({"notes.txt": b"nothing"}))
