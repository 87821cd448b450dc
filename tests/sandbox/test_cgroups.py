"""A memory cgroup of version 2 is used where one may be made; a plain folder stands in for the kernel's."""

from pathlib import Path

import pytest

from skinsite.sandbox import cgroups


@pytest.fixture
def own(monkeypatch, tmp_path) -> Path:
    """The folder of this process's own group, as version 2 has it."""
    (tmp_path / "cgroup").write_text("0::/portal\n")
    (tmp_path / "portal").mkdir()
    (tmp_path / "portal" / "cgroup.controllers").write_text("memory pids\n")
    monkeypatch.setattr(cgroups, "ROOT", tmp_path)
    monkeypatch.setattr(cgroups, "OWN", tmp_path / "cgroup")
    return tmp_path / "portal"


def test_a_group_is_bounded_below_the_process_s_own(own):
    group = cgroups.create(1024)
    assert group is not None
    assert group.folder.parent == own
    assert (group.folder / "memory.max").read_text() == "1024"
    assert (group.folder / "memory.swap.max").read_text() == "0"
    assert group.members == group.folder / "cgroup.procs"


@pytest.mark.parametrize(
    ("events", "killed"), [("oom 1\noom_kill 1\n", True), ("oom 1\noom_kill 0\n", False), ("", False)]
)
def test_a_member_that_the_kernel_killed_for_memory_is_told_from_others(own, events, killed):
    group = cgroups.create(1024)
    assert group is not None
    (group.folder / "memory.events").write_text(events)
    assert group.ran_out() is killed


@pytest.mark.parametrize("lines", ["4:memory:/portal\n", "4:memory:/portal\n0::/nowhere\n", ""])
def test_without_version_2_there_is_none(own, lines):
    cgroups.OWN.write_text(lines)
    assert cgroups.create(1024) is None
    assert [path.name for path in own.iterdir()] == ["cgroup.controllers"]


def test_groups_of_supervisors_that_are_gone_are_removed(own):
    (own / "skinsite-child-999999999-0").mkdir()
    group = cgroups.create(1024)
    assert group is not None
    assert {path.name for path in own.iterdir() if path.is_dir()} == {group.folder.name}
    Path(group.folder / "memory.max").unlink()
    for name in cgroups.OTHERS:
        (group.folder / name).unlink()
    group.remove()
    assert not group.folder.exists()
