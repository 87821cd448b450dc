"""Data sets from upload to rows: every form that is accepted, every archive that is refused, and lost workers."""

import io
from datetime import timedelta

import numpy as np
import pytest
from django.conf import settings as portal
from django.utils import timezone
from PIL import Image, ImageEnhance

from evaluation.intake.table import ColumnMapping
from evaluation.models import DataSet, LabelledImage
from evaluation.services.data_sets import decoding, importing
from evaluation.services.data_sets.create import create_data_set, create_from_folder, remap_data_set
from evaluation.services.data_sets.importing import run_import
from skinsite.jobs import State, actions
from skinsite.refusal import Conflict, Refusal
from tests.factories.data_sets import imported, ran, stored_files, uploaded, zipped
from tests.factories.rows import make_user
from tests.pictures import picture

pytestmark = pytest.mark.django_db(transaction=True)
SIX = {f"{letter}.jpg": picture(place) for place, letter in enumerate("abcdef")}
TABLE = "image,diagnosis\n" + "".join(f"{name},nv\n" for name in SIX)


@pytest.fixture(autouse=True)
def no_broker(monkeypatch):
    monkeypatch.setattr("skinsite.jobs.send.publish", lambda *_: None)


@pytest.fixture
def chunks_of_two(monkeypatch):
    monkeypatch.setattr(importing, "CHUNK_PICTURES", 2)


def names(data_set: DataSet) -> dict[str, str]:
    return dict(data_set.images.values_list("name", "label"))


def refused(data_set: DataSet) -> dict[str, str]:
    return {entry["file"]: entry["reason"] for entry in data_set.refused}


def lesion(seed: int = 0) -> Image.Image:
    return Image.open(io.BytesIO(picture(seed, (320, 240)))).convert("RGB")


def jpeg(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=80)
    return file.getvalue()


def slow_jpeg() -> bytes:
    """A small file of 60 megapixels whose last scan comes 20,000 times: minutes of decoding."""
    file = io.BytesIO()
    Image.new("L", (12_000, 5_000), 120).save(file, "JPEG", progressive=True)
    content = file.getvalue()
    scan = content[content.rindex(b"\xff\xda") : -2]
    return content[:-2] + scan * 20_000 + content[-2:]


def test_a_table_inside_and_a_table_beside_the_archive_give_the_same():
    inside = imported(
        {"set/a.jpg": picture(0), "set/b.png": picture(1, kind="PNG"), "labels.csv": "image,dx\na,nv\nb,mel"}
    )
    beside = imported({"a.jpg": picture(0), "b.png": picture(1, kind="PNG")}, "image,dx\na,nv\nb,mel")
    for data_set in (inside, beside):
        assert data_set.state == State.DONE
        assert names(data_set) == {"a": "nv", "b": "mel"}
        assert data_set.refused == []
        assert (data_set.total, data_set.done) == (2, 2)
        assert list(data_set.labels) == ["mel", "nv"]
        assert data_set.document["classes"]["nv"] == {"images": 1, "lesions": 1}
    one, other = inside.images.get(name="a"), beside.images.get(name="a")
    assert (one.sha256, one.perceptual, one.width, one.height) == (other.sha256, other.perceptual, 96, 64)
    with one.pixels.open("rb") as file:
        assert np.array_equal(np.asarray(Image.open(file)), np.asarray(Image.open(io.BytesIO(picture(0)))))


def test_a_folder_for_each_class_may_repeat_file_names_and_hold_junk():
    data_set = imported(
        {
            "set/nevus/1.jpg": picture(0),
            "set/Melanoma/1.jpg": picture(1),
            "set/Melanoma/2.jpg": b"nothing",
            "set/nevus/notes.docx": b"words",
            "LICENSE.txt": "You may\nuse it.",
            "__MACOSX/set/nevus/._1.jpg": b"\0",
            "set/nevus/._1.jpg": b"\0",
            "set/.DS_Store": b"\0",
            "set/Thumbs.db": b"\0",
            "set/desktop.ini": b"\0",
        }
    )
    assert data_set.state == State.DONE
    assert names(data_set) == {"1": "nv", "Melanoma_1": "mel"}
    assert set(refused(data_set)) == {"set/Melanoma/2.jpg", "set/nevus/notes.docx"}
    assert data_set.words == {"nevus": "nv", "Melanoma": "mel"}


def test_folders_of_another_field_are_classes_of_their_own():
    data_set = imported({"cat/1.jpg": picture(0), "dog/1.jpg": picture(1)})
    assert data_set.labels == {"cat": {"name": "cat", "malignant": None}, "dog": {"name": "dog", "malignant": None}}


def test_one_folder_without_a_table_is_no_class():
    data_set = imported({"images/1.jpg": picture(0), "images/2.jpg": picture(1)})
    assert data_set.error["code"] == "no-labels"


def test_pictures_of_one_name_are_told_apart_by_the_table():
    archive = {"x/1.jpg": picture(0), "y/1.jpg": picture(1), "2.jpg": picture(2)}
    by_path = imported(archive, "path,label\nx/1.jpg,nv\ny/1.jpg,mel\n2,nv\n")
    assert list(by_path.images.values_list("file_name", "label")) == [
        ("x/1.jpg", "nv"),
        ("y/1.jpg", "mel"),
        ("2.jpg", "nv"),
    ]
    by_name = imported(archive, "image,label\n1,nv\n2,nv\n")
    assert names(by_name) == {"2": "nv"}
    assert refused(by_name) == {"1": "2 pictures have this name among the uploaded files"}


def test_one_broken_picture_among_good_ones_and_what_has_no_partner():
    text = "image,diagnosis\na,nv\nb,nv\nc,nv\nlost,nv\nd,wrong\n"
    members = {**SIX, "b.jpg": SIX["b.jpg"][:900], "labels.csv": text, "inner.zip": zipped({"x.jpg": b""})}
    data_set = imported(members)
    assert names(data_set) == {"a": "nv", "c": "nv"}
    assert [(entry["row"], entry["file"]) for entry in data_set.refused] == [
        (None, "inner.zip"),
        (None, "e.jpg"),
        (None, "f.jpg"),
        (3, "b.jpg"),
        (5, "lost"),
        (6, "d"),
    ]
    assert "damaged" in refused(data_set)["b.jpg"]
    assert "archive inside" in refused(data_set)["inner.zip"]


def test_a_picture_is_turned_by_its_orientation_and_told_so():
    exif = Image.Exif()
    exif[0x0112] = 6
    data_set = imported({"nv/a.jpg": picture(0, (96, 64), exif=exif.tobytes())})
    image = data_set.images.get()
    assert (image.width, image.height) == (64, 96)
    assert any("turned upright" in change for change in image.changes)


def test_names_that_are_unsafe_get_an_alias():
    data_set = imported({"nv/=1+1 é.jpg": picture(0), "nv/_1_1_é.jpg": picture(1)})
    assert all(importing.SAFE.search(name) is None for name in names(data_set))
    assert set(data_set.images.values_list("file_name", flat=True)) == {"nv/=1+1 é.jpg", "nv/_1_1_é.jpg"}


def test_the_same_pixels_and_a_brighter_copy_are_told():
    image = lesion(1)
    brighter = ImageEnhance.Brightness(image).enhance(1.04)
    members = {"a.jpg": jpeg(image), "b.jpg": jpeg(image), "c.jpg": jpeg(brighter), "d.jpg": jpeg(lesion(2))}
    rows = "image,diagnosis,lesion_id\na,nv,L1\nb,mel,L2\nc,nv,L3\nd,nv,L4\n"
    data_set = imported(members, rows)
    found = data_set.document["duplicates"]
    assert found["same"] == [["a", "b"]]
    assert found["near"] == [["a", "c"], ["b", "c"]]
    assert [warning[:40] for warning in data_set.warnings] == [
        "1 pictures occur more than once with the",
        "2 pairs of pictures are near-duplicates ",
        "Some pictures with the same pixels have ",
    ]


def test_copies_of_one_lesion_are_no_finding():
    image = lesion(1)
    members = {"a.jpg": jpeg(image), "c.jpg": jpeg(ImageEnhance.Brightness(image).enhance(1.04))}
    data_set = imported(members, "image,diagnosis,lesion_id,patient_id\na,nv,L1,P1\nc,nv,L1,P1\n")
    assert data_set.warnings == []
    assert data_set.document["lesions"] == 1


def test_lesions_are_counted_and_not_patients():
    rows = "image,diagnosis,lesion_id,patient_id\na,nv,L1,P1\nb,nv,L2,P1\nc,mel,,P1\nd,mel,,P2\n"
    data_set = imported(SIX, rows)
    assert data_set.document["lesions"] == 4
    assert data_set.document["classes"] == {"mel": {"images": 2, "lesions": 2}, "nv": {"images": 2, "lesions": 2}}


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("text_named.zip", "not-a-zip"),
        ("zip_overlap_bomb.zip", "zip-bomb"),
        ("zip_ratio_bomb.zip", "zip-bomb"),
        ("zip_slip.zip", "unsafe-name"),
        ("zip_symlink.zip", "link"),
        ("zip_nested.zip", "no-labels"),
    ],
)
def test_nasty_archives_are_refused_by_name(shared_data, name, code):
    data_set = imported((shared_data / "nasty" / "archives" / name).read_bytes())
    assert data_set.state == State.FAILED
    assert data_set.error["code"] == code
    assert not data_set.images.exists()


def test_junk_is_ignored_and_an_inner_archive_named(shared_data):
    archives = shared_data / "nasty" / "archives"
    junk = imported((archives / "zip_junk_but_good.zip").read_bytes())
    assert names(junk) == {"ISIC_0000176": "nv", "ISIC_0000351": "nv"}
    assert junk.refused == []
    nested = imported((archives / "zip_nested.zip").read_bytes(), "image,diagnosis\nok,nv\n")
    assert names(nested) == {"ok": "nv"}
    assert list(refused(nested)) == ["inner.zip"]


def test_an_encrypted_archive_is_refused():
    content = bytearray(zipped({"nv/a.jpg": picture(0)}))
    content[content.index(b"PK\3\4") + 6] |= 1
    content[content.index(b"PK\1\2") + 8] |= 1
    assert imported(bytes(content)).error["code"] == "encrypted"


def test_archives_above_a_limit_are_refused(settings, monkeypatch):
    settings.ARCHIVE_MEMBERS = 5
    assert imported(SIX, TABLE).error["code"] == "too-many-members"
    settings.ARCHIVE_MEMBERS = 6
    monkeypatch.setattr(decoding, "UNPACKED_BYTES", 1000)
    assert imported(SIX, TABLE).error["code"] == "too-large"
    settings.ARCHIVE_BYTES = 100
    before = set((portal.SKINSITE_DATA / "datasets").iterdir())
    with pytest.raises(Refusal, match="limit"):
        uploaded(SIX)
    settings.ARCHIVE_BYTES, settings.TABLE_BYTES = 10**6, 10
    with pytest.raises(Refusal, match="limit"):
        uploaded(SIX, TABLE)
    assert set((portal.SKINSITE_DATA / "datasets").iterdir()) == before


@pytest.mark.parametrize(
    ("members", "table", "code"),
    [
        ({"readme.md": "none"}, None, "no-images"),
        ({"inner.zip": b"PK"}, None, "no-images"),
        ({"a.jpg": b"text"}, "image,diagnosis\na,nv\n", "no-images"),
        ({"a.jpg": SIX["a.jpg"]}, None, "no-labels"),
        ({"a.jpg": SIX["a.jpg"]}, "\0\1\2", "unreadable-table"),
    ],
)
def test_an_import_without_one_picture_fails_with_the_reason(members, table, code):
    data_set = imported(members, table)
    assert data_set.error["code"] == code
    assert code in ("no-labels", "unreadable-table") or data_set.refused


@pytest.mark.parametrize("content", [b"", b"PK\3\4 and then nothing", zipped({})])
def test_what_is_no_archive_is_refused(content):
    if content:
        assert imported(content).state == State.FAILED
    else:
        with pytest.raises(Refusal, match="empty"):
            uploaded(content)


def test_a_name_is_wanted():
    with pytest.raises(Refusal, match="name"):
        create_data_set(owner=make_user(), name=" ", archive=io.BytesIO(b"PK"))


def test_a_mapping_is_corrected_on_the_same_upload():
    data_set = imported({**SIX, "labels.csv": "Foto,Befund\n" + "".join(f"{name},x\n" for name in SIX)})
    assert data_set.error["code"] == "needs-mapping"
    assert [column["name"] for column in data_set.columns] == ["Foto", "Befund"]
    assert data_set.guess["image"] == "Foto"
    remap_data_set(data_set=data_set, mapping=ColumnMapping(columns={"label": "Befund"}))
    data_set = ran(data_set)
    assert data_set.state == State.DONE
    assert set(data_set.labels) == {"x"}
    files = stored_files()
    remap_data_set(data_set=data_set, mapping=ColumnMapping(columns={"label": "Befund"}, labels={"x": "MEL"}))
    data_set = ran(data_set)
    assert names(data_set) == dict.fromkeys("abcdef", "mel")
    assert len(stored_files()) == len(files)
    assert not stored_files() & (files - stored_files())


def test_a_mapping_is_not_corrected_while_an_import_waits():
    data_set = imported(SIX, TABLE)
    stale = DataSet.objects.get(pk=data_set.pk)
    remap_data_set(data_set=data_set, mapping=ColumnMapping())
    for row in (stale, DataSet.objects.get(pk=data_set.pk)):
        with pytest.raises(Conflict):
            remap_data_set(data_set=row, mapping=ColumnMapping(labels={"nv": "mel"}))
    assert DataSet.objects.get(pk=data_set.pk).mapping == {"columns": {}, "labels": {}}


class Killed(BaseException):
    """What the machine does to a worker: nothing of ours is run."""


def test_an_import_goes_on_where_a_lost_worker_stopped(monkeypatch, chunks_of_two):
    before = stored_files()
    data_set = uploaded(SIX, TABLE)
    decode = decoding.decode

    def dies(source, members):
        if "c.jpg" in members:
            raise Killed
        return decode(source, members)

    with monkeypatch.context() as patch:
        patch.setattr(decoding, "decode", dies)
        with pytest.raises(Killed):
            run_import(data_set_id=data_set.pk)
    first = dict(data_set.images.values_list("name", "pk"))
    assert set(first) == {"a", "b"}
    assert len(stored_files() - before) == 4
    rows = DataSet.objects.filter(pk=data_set.pk)
    assert rows.get().done == 2
    rows.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert DataSet.objects.recover() == 1
    data_set = ran(data_set)
    assert data_set.state == State.DONE
    assert (data_set.done, data_set.total) == (6, 6)
    assert names(data_set) == dict.fromkeys("abcdef", "nv")
    assert first.items() <= dict(data_set.images.values_list("name", "pk")).items()
    assert len(stored_files() - before) == 12


def test_an_unexpected_error_is_tried_again(monkeypatch):
    data_set = uploaded(SIX, TABLE)
    with monkeypatch.context() as patch:
        patch.setattr(decoding.Source, "survey", lambda self: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            run_import(data_set_id=data_set.pk)
    assert DataSet.objects.get(pk=data_set.pk).state == State.QUEUED
    assert ran(data_set).state == State.DONE


def test_a_cancelled_import_stops_and_leaves_no_file_without_a_row(monkeypatch, chunks_of_two):
    before = stored_files()
    data_set = uploaded(SIX, TABLE)
    commit = importing._commit

    def cancels(*arguments):
        commit(*arguments)
        actions.cancel(data_set)

    monkeypatch.setattr(importing, "_commit", cancels)
    data_set = ran(data_set)
    assert data_set.state == State.CANCELLED
    assert set(names(data_set)) == {"a", "b"}
    assert len(stored_files() - before) == 4
    actions.delete(data_set)
    assert stored_files() == before


def test_deleting_a_data_set_removes_its_rows_and_files():
    before, uploads = stored_files(), set((portal.SKINSITE_DATA / "datasets").iterdir())
    data_set = imported(SIX, TABLE)
    assert len(stored_files() - before) == 12
    actions.delete(data_set)
    assert not LabelledImage.objects.exists()
    assert stored_files() == before
    assert set((portal.SKINSITE_DATA / "datasets").iterdir()) == uploads


def test_a_picture_that_decodes_for_minutes_is_refused_alone(monkeypatch):
    monkeypatch.setattr(decoding, "SECONDS_A_PICTURE", 1.5)
    members = {"nv/a.jpg": picture(0), "nv/b.jpg": slow_jpeg(), "nv/c.jpg": picture(1)}
    data_set = imported(members)
    assert set(names(data_set)) == {"a", "c"}
    assert refused(data_set) == {"nv/b.jpg": decoding.TOO_LONG}


def test_a_folder_of_the_server_is_imported_without_following_links(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.jpg").write_bytes(picture(0))
    (tmp_path / "b.jpg").symlink_to(tmp_path / "deep" / "a.jpg")
    (tmp_path / "labels.csv").write_text("image,diagnosis\na,nv\nb,mel\n")
    owner = make_user()
    data_set = create_from_folder(owner=owner, name="Disk", folder=tmp_path, table=tmp_path / "labels.csv")
    data_set = ran(data_set)
    assert names(data_set) == {"a": "nv"}
    assert refused(data_set) == {"b": "there is no picture of this name among the uploaded files"}
    with pytest.raises(Refusal, match="no folder"):
        create_from_folder(owner=owner, name="Disk", folder=tmp_path / "none", table=tmp_path / "labels.csv")
