"""A zip archive with a trick in it is refused before a member is unpacked."""

import io
import stat
import zipfile
from pathlib import Path

import pytest

from skinsite.sandbox import zip_archives
from skinsite.sandbox.zip_archives import Bounds, UnsafeArchive

BOUNDS = Bounds(members=5, total_bytes=10_000_000)


def archive(*members: tuple[str, bytes], method: int = zipfile.ZIP_STORED) -> io.BytesIO:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as made:
        for name, content in members:
            made.writestr(name, content)
    return file


def code_of(file: io.BytesIO) -> str:
    with pytest.raises(UnsafeArchive) as refusal:
        zip_archives.open_checked(file, BOUNDS)
    return refusal.value.code


def test_a_plain_archive_is_opened_and_read(tmp_path: Path) -> None:
    with zip_archives.open_checked(archive(("a.txt", b"12345"), ("b/c", b"")), BOUNDS) as opened:
        assert zip_archives.read(opened, "a.txt", 5) == b"12345"
        zip_archives.unpack(opened, "a.txt", tmp_path / "copy")
        with pytest.raises(UnsafeArchive, match="above its limit"):
            zip_archives.read(opened, "a.txt", 4)
    assert (tmp_path / "copy").read_bytes() == b"12345"


@pytest.mark.parametrize("name", ["../up", "/root", "a/../../b", "a\\b", "tab\there"])
def test_a_name_that_leaves_the_folder_is_refused(name: str) -> None:
    assert code_of(archive((name, b"x"))) == "unsafe-name"


def test_a_bomb_is_refused_by_its_ratio() -> None:
    assert code_of(archive(("zeros", bytes(5_000_000)), method=zipfile.ZIP_DEFLATED)) == "zip-bomb"


def test_too_many_members_and_too_many_bytes_are_refused() -> None:
    assert code_of(archive(*[(str(number), b"") for number in range(6)])) == "too-many-members"
    assert code_of(archive(("big", bytes(10_000_001)))) == "too-large"


def test_overlapping_members_are_refused() -> None:
    """Both entries of the directory claim the bytes of the first member, as in a bomb without a high ratio."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        made.writestr("first", b"x" * 100)
        made.writestr("other", b"x" * 100)
        made.filelist[1].header_offset = made.filelist[0].header_offset
    assert code_of(file) == "zip-bomb"


def test_a_symbolic_link_is_refused() -> None:
    link = zipfile.ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        made.writestr(link, "/etc/passwd")
    assert code_of(file) == "link"


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_double_name_is_refused() -> None:
    assert code_of(archive(("a", b"1"), ("a", b"2"))) == "double-name"


def test_half_an_archive_is_called_incomplete() -> None:
    whole = archive(("a", bytes(1000))).getvalue()
    assert code_of(io.BytesIO(whole[: len(whole) // 2])) == "truncated"
