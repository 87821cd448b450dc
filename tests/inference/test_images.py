"""A submitted file in, upright sRGB pixels out."""

import csv
import io
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from classifier.inference.input.images import ImageRefused, Limits, decode, encode_png, thumbnail
from tests.pictures import picture

LESION = Image.open(io.BytesIO(picture(0, (120, 90), "PNG")))


def saved(image: Image.Image, kind: str = "PNG", **options) -> io.BytesIO:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return io.BytesIO(file.getvalue())


def refused(content: bytes) -> ImageRefused:
    with pytest.raises(ImageRefused) as caught:
        decode(io.BytesIO(content))
    return caught.value


def archive() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as opened:
        opened.writestr("a.txt", "x")
    return file.getvalue()


NASTY = {
    "images/all_black.png": (300, 225),
    "images/alpha_hides_border.png": (384, 288),
    "images/cmyk_lesion.jpg": (384, 288),
    "images/exif_gps_lesion.jpg": (384, 288),
    "images/exif_orientation6_lesion.jpg": (384, 288),
    "images/gray16_lesion.png": (384, 288),
    "images/pillow_16bit.cropped.tif": (64, 64),
    "images/pillow_frozenpond.mpo": (640, 480),
    "images/pillow_hopper_16bit_qtables.jpg": (128, 128),
    "images/pillow_hopper_gray.jpg": (128, 128),
    "images/pillow_hopper_orientation_6.jpg": (128, 128),
    "images/pillow_invalid_exif.jpg": (200, 200),
    "images/pillow_iss634.gif": (245, 245),
    "images/pillow_pil_sample_cmyk.jpg": (100, 100),
    "images/pillow_transparent.png": (200, 150),
    "images/png_named_lesion.jpg": (240, 287),
    "images/polyglot_jpeg_zip.jpg": (384, 288),
    "images/recurser_Landscape_1.jpg": (1800, 1200),
    "images/recurser_Landscape_6.jpg": (1800, 1200),
    "images/bomb_20000x20000.png": "too-large",
    "images/html_named.jpg": "not-an-image",
    "images/lfs_pointer.jpg": "lfs-pointer",
    "images/one_pixel.png": "too-small",
    "images/pillow_broken.png": "not-an-image",
    "images/pillow_decompression_bomb.gif": "too-large",
    "images/pillow_exif_gps.jpg": "too-small",
    "images/pillow_truncated_jpeg.jpg": "damaged",
    "images/pillow_zero_width.gif": "not-an-image",
    "images/strip_20000x2.png": "too-small",
    "images/svg_script_named.png": "not-an-image",
    "images/text_named.jpg": "not-an-image",
    "images/truncated_half_lesion.jpg": "damaged",
    "images/zero_bytes.jpg": "empty",
    "dicom/MR_truncated.dcm": "dicom",
    "dicom/SC_rgb_rle.dcm": "dicom",
    "dicom/badVR.dcm": "dicom",
    "dicom/examples_rgb_color.dcm": "dicom",
}


@pytest.mark.parametrize("name", sorted(NASTY))
def test_real_nasty_files_are_read_upright_or_refused_by_name(shared_data: Path, name):
    expected = NASTY[name]
    with (shared_data / "nasty" / name).open("rb") as file:
        if isinstance(expected, str):
            with pytest.raises(ImageRefused) as caught:
                decode(file)
            assert caught.value.code == expected
        else:
            height, width, channels = decode(file).pixels.shape
            assert (width, height, channels) == (*expected, 3)


def test_no_nasty_picture_is_left_out(shared_data: Path):
    with (shared_data / "nasty" / "README.csv").open() as table:
        rows = [row["file"] for row in csv.DictReader(table)]
    assert {name for name in rows if name.startswith(("images/", "dicom/"))} == set(NASTY)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (b"<!DOCTYPE html><html></html>", "not-an-image"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not-an-image"),
        (b"version https://git-lfs.github.com/spec/v1\n", "lfs-pointer"),
        (b"\0" * 128 + b"DICM", "dicom"),
        (archive(), "not-an-image"),
        (picture(0, (400, 300))[:4000], "damaged"),
        (picture(0, (8, 8)), "too-small"),
        (picture(0, (40, 900)), "odd-shape"),
        (b"GIF89a\xff\xff\xff\xff\0\0\0,\0\0\0\0\xff\xff\xff\xff\0\2\0;", "too-large"),
    ],
)
def test_what_is_no_usable_picture_is_named(content, code):
    reason = refused(content)
    assert reason.code == code
    assert str(reason)[0].isupper()
    assert str(reason).endswith(".")


def test_a_file_above_the_limit_is_refused_by_its_size():
    with pytest.raises(ImageRefused, match="limit of 1 MB"):
        decode(io.BytesIO(picture(0, (1200, 900), "BMP")), Limits(bytes=1_000_000))


def test_a_plain_jpeg_has_pillows_own_pixels():
    content = picture(3, (300, 200))
    plain = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
    found = decode(io.BytesIO(content))
    assert np.array_equal(found.pixels, plain)
    assert found.changes == ()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_gives_the_same_upright_picture(orientation):
    turn = {1: None, 2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}[orientation]
    stored = LESION if turn is None else LESION.transpose(Image.Transpose(turn))
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert np.array_equal(decode(saved(stored, exif=exif)).pixels, np.asarray(LESION))


def test_sixteen_bits_are_scaled_and_not_clipped():
    ramp = np.linspace(0, 65535, 64 * 64).reshape(64, 64).astype(np.uint16)
    found = decode(saved(Image.fromarray(ramp))).pixels[..., 0]
    assert np.abs(found.astype(int) - (ramp / 257).round().astype(int)).max() <= 1


def test_transparent_parts_lie_on_white():
    see_through = Image.new("RGBA", (64, 64), (200, 0, 0, 0))
    found = decode(saved(see_through))
    assert (found.pixels == 255).all()
    assert "white" in found.changes[0]


@pytest.mark.parametrize("mode", ["L", "LA", "P", "1", "CMYK", "RGBA"])
def test_every_mode_becomes_three_channels(mode):
    kind = "TIFF" if mode == "CMYK" else "PNG"
    assert decode(saved(LESION.convert("RGB").convert(mode), kind)).pixels.shape == (90, 120, 3)


def test_a_wide_profile_is_converted_and_a_broken_one_is_not_fatal():
    wide = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    for profile in (wide, b"no profile at all"):
        assert decode(saved(LESION, icc_profile=profile)).pixels.shape == (90, 120, 3)


def test_nothing_of_the_file_but_its_pixels_is_kept():
    exif = Image.Exif()
    exif[0x010E] = "Jane Doe"
    exif.get_ifd(0x8825)[1] = "N"
    found = decode(saved(LESION, "JPEG", exif=exif, comment=b"secret", quality=95))
    assert "GPS" in " ".join(found.changes)
    for stored in (encode_png(found.pixels), thumbnail(found.pixels, 64)):
        assert not {b"Exif", b"eXIf", b"EXIF", b"XMP ", b"Jane", b"secret"} & {
            word for word in (b"Exif", b"eXIf", b"EXIF", b"XMP ", b"Jane", b"secret") if word in stored
        }


def test_the_kept_copy_is_lossless():
    found = decode(io.BytesIO(picture(5)))
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(encode_png(found.pixels)))), found.pixels)


def test_the_hash_is_that_of_the_pixels_and_their_shape():
    content = picture(6, (64, 32), "PNG")
    one, other = decode(io.BytesIO(content)), decode(saved(Image.open(io.BytesIO(content)), "TIFF"))
    turned = decode(saved(Image.fromarray(one.pixels.reshape(64, 32, 3))))
    assert one.sha256 == other.sha256 != turned.sha256


def test_pictures_can_be_decoded_in_many_threads():
    contents = [picture(seed, (200, 150)) for seed in range(16)]
    alone = [decode(io.BytesIO(content)).sha256 for content in contents]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda content: decode(io.BytesIO(content)).sha256, contents)) == alone
