"""What surrounds an admission: the walls, the limits, the upload's own nature, and what a child leaves behind."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from classifier.admission import admit as admission
from classifier.admission.admit import admit
from classifier.admission.report import AdmissionResult
from skinsite.sandbox import confine
from skinsite.sandbox import run as sandbox_run

MISCHIEF = "tests.admission.mischief"


@pytest.fixture
def upload(tmp_path: Path) -> Path:
    """It begins as a zip archive; the children of these tests never look at it."""
    path = tmp_path / "upload"
    path.write_bytes(b"PK\x03\x04" + bytes(100))
    return path


def admitted(upload: Path, manifest: dict[str, Any] | None = None, **options: Any) -> AdmissionResult:
    return admit(upload=upload, manifest=manifest or {}, into=upload.parent / "bundles", **options)


def code_of(result: AdmissionResult) -> str:
    assert not result.accepted
    assert result.error is not None
    return result.error.code


def test_without_walls_nothing_is_opened(upload: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confine, "missing", lambda: ["Landlock"])
    result = admitted(upload)
    assert code_of(result) == "confinement-unavailable"
    assert [check.check for check in result.report] == ["confinement"]
    assert code_of(admitted(upload, unconfined=True)) == "truncated"


@pytest.mark.parametrize("kind", ["link", "pipe", "folder", "nothing"])
def test_only_a_regular_file_is_opened(upload: Path, kind: str) -> None:
    odd = upload.with_name("odd")
    {"link": lambda: odd.symlink_to(upload), "pipe": lambda: os.mkfifo(odd), "folder": odd.mkdir}.get(kind, bool)()
    assert code_of(admitted(odd)) == "no-file"


@pytest.mark.parametrize(
    ("task", "options", "code"),
    [
        ("stall", {"time_limit_s": 1.5}, "time-limit"),
        ("hog", {"memory_limit": 200 * 1024**2}, "memory-limit"),
        ("crash", {}, "check-crashed"),
        ("lie", {}, "untrusted-answer"),
        ("link", {}, "untrusted-answer"),
        ("flood", {}, "untrusted-answer"),
        ("no_folder", {}, "untrusted-answer"),
        ("bundle_of_links", {}, "untrusted-answer"),
        ("other_classes", {}, "untrusted-answer"),
        ("no_number", {}, "untrusted-answer"),
        ("dig", {}, "disk-limit"),
    ],
)
@pytest.mark.timeout(60)
def test_a_child_that_was_taken_over_gains_nothing(
    upload: Path, monkeypatch: pytest.MonkeyPatch, task: str, options: dict[str, Any], code: str
) -> None:
    monkeypatch.setattr(admission, "CONVERT", f"{MISCHIEF}:convert_{task}")
    result = admitted(upload, {"classes": ["mel", "nv"]}, **options)
    assert code_of(result) == code
    assert result.error is not None
    assert result.error.message.endswith(".")
    assert result.error.hint
    assert not list((upload.parent / "bundles").iterdir())


def test_what_a_child_writes_is_stripped_of_control_characters(upload: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "CONVERT", f"{MISCHIEF}:convert_noise")
    result = admitted(upload)
    assert result.error is not None
    assert result.error.code == "damaged"
    assert result.error.message == "red �[31m and reversed �"


def test_the_report_says_which_walls_stood(upload: Path) -> None:
    [walls] = [check for check in admitted(upload).report if check.check == "confinement"]
    assert walls.passed
    assert "Landlock" in walls.detail
    assert "seccomp" in walls.detail
    assert "namespaces" in walls.detail or "another user" in walls.detail


def test_a_large_file_gets_more_time_and_memory(upload: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[sandbox_run.Limits] = []

    def run(_task: str, *, limits: sandbox_run.Limits, **_options: Any) -> sandbox_run.ChildResult:
        asked.append(limits)
        return sandbox_run.ChildResult(sandbox_run.ExitReason.TIME, 1.0, 1.0, 0, -9, "")

    monkeypatch.setattr(sandbox_run, "run", run)
    admitted(upload)
    with upload.open("r+b") as file:
        file.truncate(500 * 1024**2)
    admitted(upload)
    assert [limits.seconds for limits in asked] == pytest.approx([60, 185], abs=0.1)
    assert [limits.memory for limits in asked] == [2 * 1024**3, 1024**3 + 2500 * 1024**2]


def test_an_abandoned_staging_folder_is_removed(upload: Path) -> None:
    bundles = upload.parent / "bundles"
    old, young = bundles / ".admission-old", bundles / ".admission-young"
    for folder in (old, young):
        folder.mkdir(parents=True)
    os.utime(old, (1, 1))
    admitted(upload)
    assert not old.exists()
    assert young.exists()


def test_size_alone_does_not_buy_the_machine(upload: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    asked: list[sandbox_run.Limits] = []

    def run(_task: str, *, limits: sandbox_run.Limits, **_options: Any) -> sandbox_run.ChildResult:
        asked.append(limits)
        return sandbox_run.ChildResult(sandbox_run.ExitReason.TIME, 1.0, 1.0, 0, -9, "")

    monkeypatch.setattr(sandbox_run, "run", run)
    with upload.open("r+b") as file:
        file.truncate(2 * 1024**3)
    admitted(upload)
    admitted(upload, memory_limit=1024**5, time_limit_s=400)
    assert [limits.seconds for limits in asked] == [300, 400]
    assert [limits.memory for limits in asked] == [min(6 * 1024**3, machine * 3 // 4), machine * 3 // 4]
    assert all(limits.wall < 900 for limits in asked)


@pytest.mark.parametrize(
    ("manifest", "words"),
    [
        ({"input": {"width": 0}}, "input.width"),
        ({"input": {"width": "abc"}}, "input.width"),
        ({"input": {"width": "32"}}, "input.width"),
        ({"input": {"mean": [float("nan"), 0, 0]}}, "NaN"),
        ({"comment": [{"deep": float("inf")}]}, "Infinity"),
        ({"architecture": {"family": ["torchvision"]}}, "architecture.family"),
    ],
)
def test_a_manifest_that_cannot_be_read_says_where(upload: Path, manifest: dict[str, Any], words: str) -> None:
    result = admitted(upload, manifest)
    assert code_of(result) == "bad-manifest"
    assert result.error is not None
    assert words in result.error.message
    assert not [check for check in result.report if check.check == "confinement"]


@pytest.mark.parametrize("value", ["0", "1", ""])
def test_admission_without_walls_is_asked_for_by_1_alone(value: str) -> None:
    code = "from skinsite import settings; print(settings.SKINSITE_UNCONFINED_ADMISSION)"
    environment = {**os.environ, "SKINSITE_UNCONFINED_ADMISSION": value}
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == str(value == "1")


def test_the_admitting_process_never_imports_a_framework(tmp_path: Path) -> None:
    """The worker that admits stays light, whatever the file is."""
    code = (
        "import sys; from classifier.admission.admit import admit\n"
        "print(sorted({'torch', 'tensorflow', 'keras', 'h5py', 'safetensors.torch', 'django'} & set(sys.modules)))"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
