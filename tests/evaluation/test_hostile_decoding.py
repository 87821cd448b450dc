"""A confined child that a picture or an archive has taken over costs that picture or archive, and nothing else."""

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from evaluation.intake.archive_child import DECODED, SURVEYED
from evaluation.services.data_sets import decoding
from evaluation.services.data_sets.decoding import TOO_LONG, UNTRUSTED, Source, Survey
from skinsite.jobs import Failure, State
from skinsite.sandbox import confine, run
from skinsite.sandbox.run import ChildResult, ExitReason
from tests.evaluation import hostile_decoders
from tests.factories.data_sets import imported, stored_files, zipped
from tests.pictures import picture

needs_walls = pytest.mark.skipif(bool(confine.missing()), reason=f"this kernel lacks {confine.missing()}")
MEMBERS = {name: picture(place) for place, name in enumerate(("a.jpg", "b.jpg", "hostile.jpg", "c.jpg"))}
TABLE = "image,diagnosis\na,nv\nb,mel\nhostile,nv\nc,nv\n"
TASKS = hostile_decoders.__name__
DECODERS = sorted(name for name in vars(hostile_decoders) if name.startswith("decode_"))
SURVEYS = sorted(name for name in vars(hostile_decoders) if name.startswith("survey_"))
GOOD, SEEN = (64, 96, 3), "see �gpj.exe�[31m"
SPOILT_LATER = {
    **dict.fromkeys(("answer_of_two_gigabytes", "deep_answer", "linked_answer", "folders_without_end"), (8, 8, 3)),
    "turned_reason": SEEN,
    "crash": TOO_LONG,
}
"""What is there in place of the picture; the first four spoil what says nothing of pictures."""


@pytest.fixture(autouse=True)
def small_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "DISK", 300 * 1000**2)


@pytest.fixture
def source(tmp_path: Path) -> Source:
    archive = tmp_path / "set.zip"
    archive.write_bytes(zipped({**MEMBERS, "labels.csv": TABLE}))
    return Source(archive, None)


def use(monkeypatch: pytest.MonkeyPatch, task: str) -> None:
    """Let another function be the child's."""
    name, schema = ("DECODE", DECODED) if task.startswith("decode") else ("SURVEY", SURVEYED)
    monkeypatch.setattr(decoding, name, f"{TASKS}:{task}")
    monkeypatch.setitem(decoding.SCHEMAS, f"{TASKS}:{task}", schema)


def decoded(source: Source) -> list[Any]:
    answers = decoding.decode(source, list(MEMBERS), lambda pixels, _changes: pixels.shape)
    assert not list((settings.SKINSITE_DATA / "datasets" / "staging").iterdir())
    return answers


def surveyed(source: Source) -> Survey | Failure:
    try:
        return source.survey()
    except Failure as failure:
        return failure
    finally:
        assert not list((settings.SKINSITE_DATA / "datasets" / "staging").iterdir())


@needs_walls
@pytest.mark.parametrize("task", DECODERS)
def test_a_hostile_picture_costs_no_other(monkeypatch: pytest.MonkeyPatch, source: Source, task: str) -> None:
    use(monkeypatch, task)
    assert decoded(source) == [GOOD, GOOD, SPOILT_LATER.get(task.removeprefix("decode_"), UNTRUSTED), GOOD]


@needs_walls
@pytest.mark.parametrize("task", SURVEYS)
def test_a_hostile_archive_fails_in_a_sentence(monkeypatch: pytest.MonkeyPatch, source: Source, task: str) -> None:
    use(monkeypatch, task)
    found = surveyed(source)
    if task == "survey_turned_reasons":
        assert isinstance(found, Survey)
        assert [(entry.file, entry.reason) for entry in found.refused] == [("x�.zip", SEEN)]
        assert [name for name, _size in found.pictures] == list(MEMBERS)
        return
    assert isinstance(found, Failure)
    assert (found.code, found.message) == {"survey_turned_problem": ("made-up", SEEN)}.get(
        task, ("damaged-archive", "The archive could not be read.")
    )
    assert found.hint


@needs_walls
@pytest.mark.django_db(transaction=True)
def test_an_import_names_the_hostile_picture_and_keeps_the_others(monkeypatch: pytest.MonkeyPatch, quiet: None) -> None:
    use(monkeypatch, "decode_facts_without_end")
    before = stored_files()
    data_set = imported(MEMBERS, TABLE)
    assert data_set.state == State.DONE, data_set.error
    assert dict(data_set.images.values_list("name", "label")) == {"a": "nv", "b": "mel", "c": "nv"}
    assert data_set.refused == [{"row": 4, "file": "hostile.jpg", "reason": UNTRUSTED}]
    assert len(stored_files() - before) == 2 * 3


@pytest.mark.parametrize("name", ["answer.json", "table-0", "facts", "0"])
def test_a_link_in_the_place_of_a_file_is_not_followed(
    monkeypatch: pytest.MonkeyPatch, source: Source, tmp_path: Path, name: str
) -> None:
    """Behind the walls no symbolic link is made; on a machine without them nothing outside is read either."""
    honest, outside = run.run, tmp_path / "outside"

    def linking(task: str, *, folder: Path, **options: Any) -> ChildResult:
        ended = honest(task, folder=folder, **options)
        if (folder / name).exists():
            (folder / name).rename(outside)
            (folder / name).symlink_to(outside)
        return ended

    monkeypatch.setattr(run, "run", linking)
    found, pictures = surveyed(source), decoded(source)
    assert outside.exists()
    assert isinstance(found, Failure) is (name in ("answer.json", "table-0"))
    spoilt = {"facts": [UNTRUSTED] * 4, "0": [UNTRUSTED, GOOD, GOOD, GOOD]}
    assert pictures == spoilt.get(name, [GOOD] * 4)


def test_a_machine_without_walls_fails_in_a_sentence(monkeypatch: pytest.MonkeyPatch, source: Source) -> None:
    ended = ChildResult(ExitReason.NOT_ISOLATED, 0.1, 0.1, 0, 78, "no namespaces\n\u202e")
    monkeypatch.setattr(run, "run", lambda *_arguments, **_options: ended)
    found = surveyed(source)
    assert isinstance(found, Failure)
    assert found.code == "confinement-unavailable"
    assert "no namespaces��" in found.message
