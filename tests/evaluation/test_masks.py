"""Masks beside the pictures of a data set."""

import io

import numpy as np
import pytest
from PIL import Image

from evaluation.services.data_sets.create import create_from_folder
from tests.factories.data_sets import imported, ran, zipped
from tests.factories.rows import make_user
from tests.pictures import picture

pytestmark = pytest.mark.django_db(transaction=True)
TABLE = "image,diagnosis\na,nv\nb,mel\nc,nv\n"
PICTURES = {f"{letter}.jpg": picture(place, (96, 64)) for place, letter in enumerate("abc")}


@pytest.fixture(autouse=True)
def no_broker(monkeypatch):
    monkeypatch.setattr("skinsite.jobs.send.publish", lambda *_: None)


def mask(size=(96, 64), marked=True, kind="PNG") -> bytes:
    pixels = np.zeros((size[1], size[0]), np.uint8)
    pixels[10 : 20 if marked else 10, 30:60] = 255
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind)
    return file.getvalue()


def stored(data_set, name):
    with data_set.images.get(name=name).mask.open("rb") as file:
        return Image.open(io.BytesIO(file.read()))


def test_masks_are_found_by_name_or_folder_and_are_no_pictures():
    masks = {"a_segmentation.png": mask(), "masks/b.png": mask()}
    data_set = imported({"labels.csv": TABLE, **PICTURES, **masks})
    assert (data_set.document["images"], data_set.document["masks"], data_set.refused) == (3, 2, [])
    assert (stored(data_set, "a").mode, np.asarray(stored(data_set, "a")).sum()) == ("1", 300)
    assert not data_set.images.get(name="c").mask


def test_masks_that_do_not_fit_are_named_and_their_pictures_stay():
    masks = {
        "masks/a.png": mask((64, 64)),
        "masks/b.png": mask(marked=False),
        "masks/z.png": mask(),
        "masks/c.png": b"no picture",
    }
    data_set = imported({"labels.csv": TABLE, **PICTURES, **masks})
    reasons = {entry["file"]: entry["reason"] for entry in data_set.refused}
    assert data_set.document["images"] == 3
    assert reasons["masks/a.png"] == "the mask is 64 × 64 px, its picture 96 × 64"
    assert reasons["masks/b.png"] == "the mask marks nothing"
    assert reasons["masks/z.png"] == "no picture has this mask's name"
    assert "masks/c.png" in reasons


def test_a_mask_of_the_same_shape_is_scaled_and_said(tmp_path):
    for folder, files in (("images", PICTURES), ("masks", {"a.png": mask((192, 128))})):
        (tmp_path / folder).mkdir()
        for name, content in files.items():
            (tmp_path / folder / name).write_bytes(content)
    table = tmp_path / "labels.csv"
    table.write_text(TABLE)
    made = create_from_folder(
        owner=make_user(), name="Disk", folder=tmp_path / "images", table=table, masks=tmp_path / "masks"
    )
    data_set = ran(made)
    assert stored(data_set, "a").size == (96, 64)
    assert any("1 masks had another size" in warning for warning in data_set.warnings)


def test_a_class_folder_of_masks_alone_stays_a_class():
    data_set = imported(zipped({"mask/a.png": picture(1), "mask/b.png": picture(2)}), "image,diagnosis\na,nv\nb,nv\n")
    assert data_set.document["images"] == 2
