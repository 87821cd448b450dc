"""The folder of an admission goes, whatever is in it, and two admissions do not stumble over each other."""

import os
from pathlib import Path

import pytest

from skinsite.sandbox import scratch, usage


def dig(folder: Path, levels: int) -> None:
    place = os.open(folder, os.O_RDONLY)
    for _level in range(levels):
        os.mkdir("down", dir_fd=place)
        below = os.open("down", os.O_RDONLY, dir_fd=place)
        os.close(place)
        place = below
    os.close(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=place))
    os.close(place)


def test_folders_in_folders_are_removed_however_deep(tmp_path: Path) -> None:
    folder, outside = tmp_path / "folder", tmp_path / "outside"
    for made in (folder, folder / "closed", folder / "closed" / "inner", outside):
        made.mkdir()
    (outside / "canary").touch()
    (folder / "link").symlink_to(outside)
    (folder / "closed" / "link").symlink_to(outside)
    (folder / "closed").chmod(0)
    dig(folder, 3_000)
    assert usage.written(folder) > 2**60
    scratch.remove(folder)
    assert not folder.exists()
    assert (outside / "canary").exists()


def test_what_an_honest_child_writes_is_counted(tmp_path: Path) -> None:
    (tmp_path / "bundle").mkdir()
    (tmp_path / "bundle" / "weights").write_bytes(bytes(10_000))
    assert usage.written(tmp_path) == 10_000 + 2 * usage.ENTRY
    assert usage.written(tmp_path / "gone") == 0


def test_another_admission_may_remove_an_abandoned_folder_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = [tmp_path / f"{scratch.PREFIX}{name}" for name in "ab"]
    folders[1].mkdir()
    os.utime(folders[1], (1, 1))
    monkeypatch.setattr(Path, "glob", lambda _folder, _pattern: folders)
    scratch.remove_abandoned(tmp_path)
    assert not list(tmp_path.iterdir())
