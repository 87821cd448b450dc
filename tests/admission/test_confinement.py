"""The walls hold: each thing that a hostile file would try is tried, in a real child, and fails."""

import json
import os
import platform
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from classifier.admission import confinement, landlock, seccomp, supervision
from classifier.admission.supervision import Ended, Ending, Limits

LIMITS = Limits(seconds=20, memory=1024**3, disk=64 * 1024**2)
Try = Callable[..., Any]

pytestmark = pytest.mark.skipif(bool(confinement.missing()), reason=f"this kernel lacks {confinement.missing()}")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The one folder that the child may write."""
    folder = tmp_path / "staging"
    folder.mkdir()
    return folder


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    """A file beside the staging folder, as the portal's database is."""
    path = tmp_path / "db.sqlite3"
    path.write_text("patients")
    return path


def run(
    task: str, folder: Path, *, limits: Limits = LIMITS, descriptors: tuple[int, ...] = (), **request: Any
) -> Ended:
    task = f"tests.admission.mischief:{task}"
    return supervision.run(task, request=request, folder=folder, limits=limits, descriptors=descriptors)


@pytest.fixture
def attempt(folder: Path) -> Try:
    def attempt(task: str, **options: Any) -> Any:
        ended = run(task, folder, **options)
        assert ended.how is Ending.ANSWERED, ended.last_words
        return json.loads((folder / "answer.json").read_text())

    return attempt


@pytest.mark.parametrize("deed", ["read", "write", "delete", "link_in", "change_mode", "truncate"])
def test_a_file_outside_cannot_be_touched(attempt: Try, canary: Path, deed: str) -> None:
    mode = canary.stat().st_mode
    assert attempt(deed, path=str(canary)) in {"EACCES", "EPERM", "EXDEV"}
    assert canary.read_text() == "patients"
    assert canary.stat().st_mode == mode


def test_a_new_file_outside_cannot_be_made(attempt: Try, tmp_path: Path) -> None:
    assert attempt("write", path=str(tmp_path / "new")) == "EACCES"
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("path", ["/etc/passwd", "/etc/hostname", "/proc/1/status", "/sys/class/net"])
def test_the_host_cannot_be_looked_at(attempt: Try, path: str) -> None:
    deed = "list_folder" if Path(path).is_dir() else "read"
    assert attempt(deed, path=path) == "EACCES"


def test_the_repository_root_cannot_be_listed(attempt: Try) -> None:
    """The portal's data lies below it unless SKINSITE_DATA says otherwise."""
    assert attempt("list_folder", path=str(Path(__file__).parents[2])) == "EACCES"


def test_no_symbolic_link_is_made(attempt: Try, canary: Path, folder: Path) -> None:
    assert attempt("make_symlink", path=str(canary)) == "EACCES"
    assert not (folder / "linked").is_symlink()


def test_no_connection_is_made(attempt: Try) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert attempt("connect", port=server.getsockname()[1]) == "EPERM"
    assert attempt("open_unix_socket") == "EPERM"


@pytest.mark.parametrize("deed", ["execute", "run_program", "fork"])
def test_no_program_and_no_process_is_started(attempt: Try, deed: str) -> None:
    assert attempt(deed) == "EPERM"


@pytest.mark.parametrize("deed", ["clone_with_namespace", "trace_parent", "hide_memory"])
def test_the_kernels_doors_are_shut(attempt: Try, deed: str) -> None:
    assert attempt(deed, machine=platform.machine()) == "EPERM"


def test_the_parent_is_out_of_reach(attempt: Try) -> None:
    assert attempt("kill_parent") == "EPERM"
    assert attempt("read_parent", name="environ") == "EACCES"
    assert attempt("raise_limit") == "refused"


def test_the_child_sees_no_secret_and_no_descriptor(
    attempt: Try, monkeypatch: pytest.MonkeyPatch, canary: Path
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://pass-word")
    with canary.open("rb") as held:
        os.set_inheritable(held.fileno(), True)
        seen = attempt("look_around")
    assert "pass-word" not in json.dumps(seen["environment"])
    assert [number for number in seen["descriptors"] if number > 3] == []
    assert str(Path(__file__).parents[2]) not in seen["path"]
    assert seen["inside"] == "allowed"


def test_the_upload_is_read_through_its_descriptor(attempt: Try, canary: Path) -> None:
    with canary.open("rb") as upload:
        assert attempt("read_descriptor", descriptor=upload.fileno(), descriptors=(upload.fileno(),)) == "patients"


@pytest.mark.parametrize(
    ("deed", "limits", "ending"),
    [
        ("eat_memory", Limits(20, 200 * 1024**2, 1024**2), Ending.MEMORY),
        ("eat_time", Limits(1, 1024**3, 1024**2), Ending.TIME),
        ("eat_disk", Limits(20, 1024**3, 20 * 1024**2), Ending.DISK),
        ("die", LIMITS, Ending.CRASHED),
    ],
)
def test_a_greedy_child_is_stopped(folder: Path, deed: str, limits: Limits, ending: Ending) -> None:
    started = time.monotonic()
    ended = run(deed, folder, limits=limits)
    assert ended.how is ending
    assert time.monotonic() - started < 15


def test_the_child_dies_with_its_parent(folder: Path) -> None:
    """A portal that is killed leaves no child behind that still holds the file."""
    code = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parents[2])!r})\n"
        "from pathlib import Path; from classifier.admission import supervision\n"
        f"supervision.run('tests.admission.mischief:eat_time', request={{}}, folder=Path({str(folder)!r}),"
        " limits=supervision.Limits(60, 2**30, 2**20))"
    )
    parent = subprocess.Popen([sys.executable, "-c", code])
    child = _wait_for(lambda: _child_of(parent.pid))
    parent.kill()
    parent.wait()
    _wait_for(lambda: not Path(f"/proc/{child}").exists() or _is_dead(child))


def _child_of(pid: int) -> int | None:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    if not text or "Seccomp:\t2" not in Path(f"/proc/{text[0]}/status").read_text():
        return None
    return int(text[0])


def _is_dead(pid: int) -> bool:
    return "State:\tZ" in Path(f"/proc/{pid}/status").read_text()


def _wait_for(question: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if answer := question():
            return answer
        time.sleep(0.05)
    raise AssertionError("it never happened")


def test_without_a_wall_the_child_refuses_to_work(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The child itself looks: its folder is gone, so Landlock has nothing to leave writable."""
    walls = confinement.Walls(str(folder), (), 10, 1024**3, 1024, os.getppid())
    monkeypatch.setattr(landlock, "restrict", _fail)
    monkeypatch.setattr(confinement, "_die_with", lambda _parent: None)
    monkeypatch.setattr(confinement, "_limit", lambda _walls: None)
    monkeypatch.setattr(confinement, "_drop_capabilities", lambda: None)
    with pytest.raises(confinement.Unavailable, match="Landlock"):
        confinement.enter(walls)


def _fail(**_options: Any) -> None:
    raise OSError("Landlock: not there")


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_filter_is_a_valid_program(machine: str) -> None:
    """Every jump stays inside, every path ends in a return, and it fits the kernel's 4096 instructions."""
    program = seccomp.program_bytes(machine, 4711)
    lines = [program[at : at + 8] for at in range(0, len(program), 8)]
    assert len(lines) < 4096
    assert lines[-1][:2] == b"\x06\x00"
    for place, line in enumerate(lines):
        if line[:2] in (b"\x15\x00", b"\x35\x00", b"\x45\x00"):
            assert place + 1 + max(line[2], line[3]) < len(lines)
