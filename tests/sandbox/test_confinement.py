"""The isolation holds: each thing that a hostile file would try is tried, in a real child, and fails."""

import json
import os
import platform
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from skinsite.sandbox import confine, landlock, namespaces, seccomp
from skinsite.sandbox import run as sandbox_run
from skinsite.sandbox.run import ChildResult, ExitReason, Limits

ROOT = Path(__file__).parents[2]
LIMITS = Limits(seconds=20, memory=1024**3, disk=64 * 1024**2)
Try = Callable[..., Any]
CLOSED = {"EACCES", "EPERM", "ENOENT", "EROFS", "EXDEV", "ESRCH"}

pytestmark = pytest.mark.skipif(bool(confine.missing()), reason=f"this kernel lacks {confine.missing()}")


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
) -> ChildResult:
    task = f"tests.sandbox.mischief:{task}"
    return sandbox_run.run(task, request=request, folder=folder, limits=limits, descriptors=descriptors)


@pytest.fixture
def attempt(folder: Path) -> Try:
    def attempt(task: str, **options: Any) -> Any:
        ended = run(task, folder, **options)
        assert ended.reason is ExitReason.ANSWERED, ended.stderr_tail
        return json.loads((folder / "answer.json").read_text())

    return attempt


@pytest.mark.parametrize("deed", ["read", "write", "delete", "link_in", "change_mode", "truncate"])
def test_a_file_outside_cannot_be_touched(attempt: Try, canary: Path, deed: str) -> None:
    mode = canary.stat().st_mode
    assert attempt(deed, path=str(canary)) in CLOSED
    assert canary.read_text() == "patients"
    assert canary.stat().st_mode == mode


def test_a_new_file_outside_cannot_be_made(attempt: Try, tmp_path: Path) -> None:
    assert attempt("write", path=str(tmp_path / "new")) in CLOSED
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("path", ["/etc/passwd", "/etc/hostname", "/proc/1/status", "/sys/class/net"])
def test_the_host_cannot_be_looked_at(attempt: Try, path: str) -> None:
    deed = "list_folder" if Path(path).is_dir() else "read"
    assert attempt(deed, path=path) in CLOSED


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


@pytest.fixture
def portal(canary: Path) -> Iterator[dict[str, Any]]:
    """A file, listening sockets of every kind, and a process that holds a secret: what a child must not reach."""
    unix, abstract = str(canary.with_name("broker.sock")), f"skinsite-{os.getpid()}"
    with (
        socket.create_server(("127.0.0.1", 0)) as port,
        socket.socket(socket.AF_UNIX) as broker,
        socket.socket(socket.AF_UNIX) as hidden,
        subprocess.Popen(["/bin/sleep", "60"], env={"SECRET": "pass-word"}) as worker,
    ):
        for channel, address in ((broker, unix), (hidden, "\0" + abstract)):
            channel.bind(address)
            channel.listen()
        for channel in (port, broker, hidden):
            channel.setblocking(False)
        yield {
            "path": str(canary),
            "port": port.getsockname()[1],
            "unix": unix,
            "abstract": abstract,
            "pid": worker.pid,
        }
        for channel in (port, broker, hidden):
            with pytest.raises(BlockingIOError):
                channel.accept()
        assert worker.poll() is None
        worker.kill()


def test_nothing_of_the_portal_is_reached(attempt: Try, portal: dict[str, Any]) -> None:
    assert {deed: how for deed, how in attempt("reach", **portal).items() if how not in CLOSED} == {}


def test_the_outer_wall_holds_alone(folder: Path, portal: dict[str, Any]) -> None:
    """Without Landlock and seccomp, namespaces already hide every file, socket and process of the portal."""
    if not _permits_namespaces():
        pytest.skip("this machine permits no namespaces")
    code = "import sys, json; sys.path.insert(0, sys.argv[1]); from tests.sandbox import mischief\n"
    code += "mischief.reach_through_namespaces_alone(**json.loads(sys.argv[2]))"
    request = json.dumps({"folder": str(folder), **portal})
    subprocess.run([sys.executable, "-c", code, str(ROOT), request], check=True)
    found = json.loads((folder / "found.json").read_text())
    assert found.pop("seen") == sorted({"dev", "lib", "proc", "usr", *(p.parts[1] for p in (folder, *_prefixes()))})
    # A signal to “everybody” reaches the process itself only, which is the first of its namespace.
    assert found.pop("every signal") in {"ESRCH", "done"}
    assert {deed: how for deed, how in found.items() if how not in CLOSED | {"ECONNREFUSED", "ENETUNREACH"}} == {}


def _prefixes() -> list[Path]:
    return [Path(name) for prefix in (sys.prefix, sys.base_prefix) for name in (prefix, os.path.realpath(prefix))]


def _permits_namespaces() -> bool:
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from skinsite.sandbox import namespaces as n; n.unshare()"
    return subprocess.run([sys.executable, "-c", code], stderr=subprocess.DEVNULL).returncode == 0


# Root as in a container of the usual kind: a filter refuses namespaces, and perhaps it may not change users either.
CONTAINER = """
import json, sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from skinsite.sandbox import confine, seccomp, run
number = lambda machine: seccomp.DENIED["unshare"][machine.column]
seccomp._filter = lambda machine, pid: iter(
    [(seccomp.LOAD_WORD, 0, 0, 0), *seccomp._fail(number(machine), 1), (seccomp.RETURN, 0, 0, seccomp.ALLOW)]
)
seccomp.install()
if sys.argv[4] == "one user":
    confine._drop_capabilities()
ended = run.run(
    "tests.sandbox.mischief:reach", request=json.loads(sys.argv[3]), folder=Path(sys.argv[2]),
    limits=run.Limits(60, 2**30, 2**26), unconfined=sys.argv[5] == "unconfined",
)
print(json.dumps([ended.reason, ended.isolation, ended.stderr_tail]))
"""


@pytest.fixture
def in_container(folder: Path, portal: dict[str, Any]) -> Callable[..., Any]:
    if os.geteuid() != 0:
        pytest.skip("it takes root to play a container's root")

    def reach(users: str, unconfined: str = "") -> Any:
        request = json.dumps(portal)
        command = [sys.executable, "-c", CONTAINER, str(ROOT), str(folder), request, users, unconfined]
        return json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)

    return reach


def test_where_no_namespace_is_permitted_the_child_is_another_user(folder: Path, in_container: Try) -> None:
    how, standing, words = in_container("all users")
    assert how == ExitReason.ANSWERED, words
    assert any(wall.startswith("another user") for wall in standing)
    found = json.loads((folder / "answer.json").read_text())
    assert {deed: how for deed, how in found.items() if how not in CLOSED} == {}


def test_a_machine_without_an_outer_wall_refuses_unless_told_otherwise(folder: Path, in_container: Try) -> None:
    how, standing, words = in_container("one user")
    assert how == ExitReason.NOT_ISOLATED
    assert standing == []
    assert "neither namespaces nor another user" in words
    assert not (folder / "answer.json").exists()
    how, standing, words = in_container("one user", "unconfined")
    assert how == ExitReason.ANSWERED, words
    assert [wall for wall in standing if wall.startswith(confine.LACKING)]


@pytest.mark.parametrize("deed", ["execute", "run_program", "fork"])
def test_no_program_and_no_process_is_started(attempt: Try, deed: str) -> None:
    assert attempt(deed) == "EPERM"


@pytest.mark.parametrize("deed", ["clone_with_namespace", "trace_parent", "hide_memory"])
def test_the_kernels_doors_are_shut(attempt: Try, deed: str) -> None:
    assert attempt(deed, machine=platform.machine()) == "EPERM"


def test_the_parent_is_out_of_reach(attempt: Try) -> None:
    assert attempt("kill", pid=os.getpid()) in CLOSED
    assert attempt("raise_limit") == "refused"


def test_the_child_sees_no_secret_and_no_descriptor(
    attempt: Try, monkeypatch: pytest.MonkeyPatch, canary: Path
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://pass-word")
    with canary.open("rb") as held:
        os.set_inheritable(held.fileno(), True)
        seen = attempt("look_around")
    assert "pass-word" not in json.dumps(seen["environment"])
    assert seen["descriptors"] == [0, 1, 2]
    assert str(Path(__file__).parents[2]) not in seen["path"]
    assert seen["inside"] == "allowed"


def test_the_orders_are_no_file_to_write_to(attempt: Try) -> None:
    assert attempt("write_to_the_orders") == "EBADF"


def test_a_folder_that_is_closed_to_us_hides_nothing(folder: Path) -> None:
    """Root looks into every folder; another user may not, and then nobody knows how much is inside."""
    ended = sandbox_run.run(
        "tests.sandbox.mischief:dig",
        request={"levels": 1, "rights": 0o300, "stay": 0},
        folder=folder,
        limits=Limits(20, 1024**3, 100 * 1024**2),
    )
    assert ended.reason is (ExitReason.ANSWERED if os.geteuid() == 0 else ExitReason.DISK)


def test_the_upload_is_read_through_its_descriptor(attempt: Try, canary: Path) -> None:
    with canary.open("rb") as upload:
        assert attempt("read_descriptor", descriptor=upload.fileno(), descriptors=(upload.fileno(),)) == "patients"


@pytest.mark.parametrize(
    ("deed", "limits", "ending"),
    [
        ("eat_memory", Limits(20, 200 * 1024**2, 1024**2), ExitReason.MEMORY),
        ("eat_time", Limits(1, 1024**3, 1024**2), ExitReason.TIME),
        ("eat_disk", Limits(20, 1024**3, 20 * 1024**2), ExitReason.DISK),
        ("eat_disk_unseen", Limits(20, 1024**3, 20 * 1024**2), ExitReason.DISK),
        ("dig", Limits(20, 1024**3, 100 * 1024**2), ExitReason.DISK),
        ("eat_time", Limits(20, 1024**3, 1024**2, wall=1), ExitReason.TIME),
        ("die", LIMITS, ExitReason.CRASHED),
    ],
)
@pytest.mark.timeout(60)
def test_a_greedy_child_is_stopped(folder: Path, deed: str, limits: Limits, ending: ExitReason) -> None:
    assert run(deed, folder, limits=limits).reason is ending


def test_the_child_dies_with_its_parent(folder: Path) -> None:
    """A portal that is killed leaves no child behind that still holds the file."""
    code = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parents[2])!r})\n"
        "from pathlib import Path; from skinsite.sandbox import run\n"
        f"run.run('tests.sandbox.mischief:eat_time', request={{}}, folder=Path({str(folder)!r}),"
        " limits=run.Limits(60, 2**30, 2**20))"
    )
    parent = subprocess.Popen([sys.executable, "-c", code])
    child = _wait_for(lambda: _child_of(parent.pid))
    parent.kill()
    parent.wait()
    _wait_for(lambda: not Path(f"/proc/{child}").exists() or _is_dead(child))


def _child_of(pid: int) -> int | None:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    text = text and Path(f"/proc/{text[0]}/task/{text[0]}/children").read_text().split()
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
    restrictions = confine.Restrictions(str(folder), (), 10, 1024**3, 1024, os.getppid())
    monkeypatch.setattr(landlock, "restrict", _fail)
    monkeypatch.setattr(namespaces, "unshare", lambda: "namespaces")
    for wall in ("_fork", "_see_only", "_die_with", "_die_with_guard", "_limit"):
        monkeypatch.setattr(confine, wall, lambda *_arguments: "")
    monkeypatch.setattr(confine, "_drop_capabilities", lambda: "")
    with pytest.raises(confine.Unavailable, match="Landlock"):
        confine.enter(restrictions, tell=lambda _message: None)


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
