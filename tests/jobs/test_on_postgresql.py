"""The same transitions and races on a real PostgreSQL server, started for this test."""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


def _server_program(name: str) -> str | None:
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(found[-1]) if found else shutil.which(name)


@pytest.fixture(scope="module")
def postgresql() -> Iterator[str]:
    """Yield the address of a fresh cluster on a unix socket; it refuses to run as root, so root lends it a user."""
    initdb, pg_ctl = _server_program("initdb"), _server_program("pg_ctl")
    if not (initdb and pg_ctl):
        pytest.skip("PostgreSQL's server programs are not installed")
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    identity: dict[str, str] = {}
    if os.geteuid() == 0:
        if "postgres" not in {entry.pw_name for entry in pwd.getpwall()}:
            pytest.skip("PostgreSQL does not run as root, and there is no user postgres")
        shutil.chown(folder, "postgres", "postgres")
        identity = {"user": "postgres", "group": "postgres"}
    data, log = folder / "data", folder / "log"

    def run(*command: str) -> None:
        subprocess.run(command, check=True, cwd=folder, stdout=subprocess.DEVNULL, **identity)

    run(initdb, "-D", str(data), "-U", "skinsite", "-A", "trust", "--no-sync")
    run(pg_ctl, "-D", str(data), "-w", "-l", str(log), "-o", f"-k {folder} -c listen_addresses=''", "start")
    yield f"postgres://skinsite@/postgres?host={folder}"
    run(pg_ctl, "-D", str(data), "-m", "immediate", "stop")
    shutil.rmtree(folder)


@pytest.mark.parametrize(
    "files",
    [("test_transitions.py", "test_concurrency.py", "test_kinds.py"), ("worker_on_postgresql.py",)],
    ids=["rows", "a worker"],
)
def test_the_jobs_behave_the_same_on_postgresql(postgresql, files):
    """Test runs of their own, since Django reads its database once."""
    tests = [str(Path(__file__).with_name(name)) for name in files]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--create-db", "--migrations", *tests],
        env=os.environ | {"DATABASE_URL": postgresql},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-5000:] + run.stderr[-2000:]
