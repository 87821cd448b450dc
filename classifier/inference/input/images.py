"""A submitted file in, upright sRGB pixels out.

Pixels are data: they are decoded once by Pillow (its accurate DCT), under limits that are checked on the header, and
nothing of the file but its pixels is kept.
"""

import hashlib
import io
import struct
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image, ImageCms, ImageOps, UnidentifiedImageError

Pixels = npt.NDArray[np.uint8]

FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF")
WANTED = "Submit a JPEG, PNG, WebP, TIFF or BMP file."
ORIENTATION = ExifTags.Base.Orientation
GPS = ExifTags.IFD.GPSInfo
DEEP_MODES = ("I", "I;16", "I;16L", "I;16B", "I;16N")
SRGB = ImageCms.createProfile("sRGB")


class ImageRefused(ValueError):
    """The file is no usable picture; the message is a sentence for the person who sent it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Limits:
    """What a picture may be: file size in bytes, sides in px."""

    bytes: int = 50 * 1000 * 1000
    pixels: int = 64 * 1000 * 1000
    shortest: int = 32
    longest: int = 12_000
    ratio: float = 20.0


@dataclass(frozen=True)
class Picture:
    """Upright sRGB pixels, uint8 (height, width, 3), and what was done to get them, as sentences."""

    pixels: Pixels
    changes: tuple[str, ...]
    format: str

    @property
    def sha256(self) -> str:
        """Of the shape and the decoded pixels, so that two files of the same picture are the same."""
        height, width = self.pixels.shape[:2]
        return hashlib.sha256(struct.pack("<II", height, width) + self.pixels.tobytes()).hexdigest()


def decode(file: IO[bytes], limits: Limits | None = None) -> Picture:
    """Decode one file. Raises ImageRefused, with what was wrong, what was expected and what to do."""
    limits = limits or Limits()
    _check_content(file, limits)
    try:
        with Image.open(file, formats=FORMATS) as image:
            _check_header(image, limits)
            image.load()
            return _upright(image)
    except ImageRefused:
        raise
    except Image.DecompressionBombError as error:
        raise ImageRefused("too-large", f"The picture is above {limits.pixels // 10**6} megapixels.") from error
    except UnidentifiedImageError as error:
        raise ImageRefused("not-an-image", f"The file's content is no picture that can be read. {WANTED}") from error
    except Exception as error:  # Pillow's decoders raise almost anything on broken files
        message = "The picture is incomplete or damaged. Export or download it again."
        raise ImageRefused("damaged", message) from error


def encode_png(pixels: Pixels) -> bytes:
    """Return the pixels losslessly, without metadata; quick rather than small."""
    return _encoded(Image.fromarray(pixels), "PNG", compress_level=1)


def thumbnail(pixels: Pixels, side: int) -> bytes:
    """Return a WebP whose longer side is at most `side` px."""
    image = Image.fromarray(pixels)
    image.thumbnail((side, side), Image.Resampling.LANCZOS)
    return _encoded(image, "WEBP", quality=88, method=2)


def _encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def _check_content(file: IO[bytes], limits: Limits) -> None:
    """Name what is no picture by its first bytes."""
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    head = file.read(512)
    file.seek(0)
    if not size:
        raise ImageRefused("empty", "The file is empty. Export or download it again.")
    if size > limits.bytes:
        limit = limits.bytes // 10**6
        raise ImageRefused("too-large", f"The file has {size / 1e6:.0f} MB, above the limit of {limit} MB.")
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith(b"version https://git-lfs"):
        message = "This is a Git LFS pointer, not the picture: run `git lfs pull` where you cloned it."
        raise ImageRefused("lfs-pointer", message)
    if head[128:132] == b"DICM":
        raise ImageRefused("dicom", "DICOM cannot be read yet. Export the picture as PNG or JPEG.")
    if text.startswith((b"<!doctype html", b"<html", b"<head", b"<body", b"<script")):
        raise ImageRefused("not-an-image", f"This is a web page, not a picture. {WANTED}")
    if text.startswith((b"<svg", b"<?xml")):
        raise ImageRefused("not-an-image", f"This is a drawing or a text (SVG, XML), not a photograph. {WANTED}")
    if head.startswith(b"PK\x03\x04"):
        raise ImageRefused("not-an-image", f"This is an archive, not a picture. Unpack it first. {WANTED}")


def _check_header(image: Image.Image, limits: Limits) -> None:
    """Refuse by the size that the header claims, before anything is decoded."""
    width, height = image.size
    claimed = f"The picture has {width} × {height} px"
    if min(width, height) < limits.shortest:
        raise ImageRefused("too-small", f"{claimed}; each side must have at least {limits.shortest}.")
    if max(width, height) > limits.longest:
        raise ImageRefused("too-large", f"{claimed}; no side may be above {limits.longest}.")
    if width * height > limits.pixels:
        raise ImageRefused("too-large", f"{claimed}, above the limit of {limits.pixels // 10**6} megapixels.")
    if max(width, height) > limits.ratio * min(width, height):
        raise ImageRefused("odd-shape", f"{claimed}; the longer side may be {limits.ratio:.0f} times the shorter.")


def _upright(image: Image.Image) -> Picture:
    """Turn, convert and strip a loaded picture."""
    changes: list[str] = []
    if (pictures := getattr(image, "n_frames", 1)) > 1:
        changes.append(f"only the first of {pictures} pictures in the file was taken")
    profile = image.info.get("icc_profile")
    turned = _turned(image, changes)
    _note_metadata(image, changes)
    pixels = np.asarray(_rgb(turned, profile, changes))
    return Picture(np.ascontiguousarray(pixels), tuple(changes), str(image.format))


def _turned(image: Image.Image, changes: list[str]) -> Image.Image:
    """Apply the EXIF orientation; a block that is not EXIF is no reason to refuse."""
    try:
        orientation = image.getexif().get(ORIENTATION, 1)
        turned = ImageOps.exif_transpose(image)
    except Exception:  # whatever Pillow finds in a broken block
        return image
    if orientation in range(2, 9):
        changes.append(f"turned upright by its EXIF orientation ({orientation})")
    return turned


def _note_metadata(image: Image.Image, changes: list[str]) -> None:
    found = []
    try:
        exif = image.getexif()
        if exif.get_ifd(GPS):
            found.append("EXIF with a GPS position")
        elif len(exif):
            found.append("EXIF")
    except Exception:
        found.append("a damaged EXIF block")
    found += [
        name for key, name in (("xmp", "XMP"), ("comment", "a comment"), ("photoshop", "IPTC")) if key in image.info
    ]
    if found:
        changes.append(f"metadata removed: {', '.join(found)}")


def _rgb(image: Image.Image, profile: bytes | None, changes: list[str]) -> Image.Image:
    """Convert any mode to 8-bit sRGB, and say how."""
    if image.mode in DEEP_MODES:
        image = _eight_bits(image, changes)
    if image.mode == "P" and "transparency" in image.info:
        image = image.convert("RGBA")
    if image.mode in ("LA", "La", "PA", "RGBA", "RGBa"):
        image = _on_white(image.convert("RGBA"), changes)
    if image.mode in ("CMYK", "RGB", "L") and profile:
        image = _to_srgb(image, profile, changes)
    if image.mode == "CMYK":
        changes.append("converted from CMYK without a colour profile")
    elif image.mode == "P":
        changes.append("converted from a palette")
    elif image.mode in ("L", "1"):
        changes.append("one grey channel was made three")
    elif image.mode != "RGB":
        changes.append(f"converted from {image.mode}")
    return image.convert("RGB")


def _eight_bits(image: Image.Image, changes: list[str]) -> Image.Image:
    """Scale 16 bits so that 65535 becomes 255; Pillow's own conversion would clip."""
    changes.append("16 bits a channel were scaled to 8")
    values = np.asarray(image).astype(np.uint32).clip(0, 65535)
    return Image.fromarray(((values + 128) // 257).astype(np.uint8))


def _on_white(image: Image.Image, changes: list[str]) -> Image.Image:
    """Lay a see-through picture on white, as a page would show it."""
    if image.getchannel("A").getextrema() != (255, 255):
        changes.append("transparent parts were laid on white")
    ground = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(ground, image).convert("RGB")


def _to_srgb(image: Image.Image, profile: bytes, changes: list[str]) -> Image.Image:
    """Convert from an embedded colour profile; sRGB itself is left alone, and a broken profile is ignored."""
    try:
        embedded = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        name = ImageCms.getProfileDescription(embedded).strip()
        if "srgb" in name.lower() and image.mode != "CMYK":
            return image
        converted = ImageCms.profileToProfile(image, embedded, SRGB, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        changes.append("a colour profile that cannot be used was ignored")
        return image
    changes.append(f"converted from {image.mode} with the profile “{name[:60]}” to sRGB")
    return converted if converted is not None else image
