"""What a file is, by its first 512 bytes: the only bytes of an upload that the portal's own processes read."""

import re
from enum import StrEnum

from classifier.admission.formats import unsupported
from classifier.admission.formats.unsupported import KERAS_HINT
from classifier.admission.refusal import Refusal, RefusalCode

HEAD_BYTES = 512

TEXT_PICKLE = re.compile(rb"\A(?:c[\w.]+\n[\w.]+\n|\(dp\d|\(lp\d|\(i[\w.]+\n)")
TORCH_LEGACY_MAGIC = b"\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19"
HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"
SMALLEST = {b"\x89": 48, b"P": 22, b"\x80": 4}  # bytes of an empty file of the kind that begins so

DOWNLOAD_HINT = "Download the file itself (on GitHub: “Download raw file”), look at its size, and upload that."
AGAIN_HINT = "Upload it again, or download it again from its source."


class Kind(StrEnum):
    """The containers that the confined child can open."""

    HDF5 = "HDF5"
    ZIP = "zip archive"
    TORCH_LEGACY = "PyTorch file of before version 1.6"
    PICKLE = "Python pickle"
    SAFETENSORS = "safetensors"


def sniff(head: bytes, size: int) -> Kind:
    """Return the container of a file of `size` bytes that begins with `head`.

    Raises Refusal, with a sentence that says what the file really is, for all that is no container of weights.
    """
    if size == 0:
        raise Refusal(RefusalCode.EMPTY_FILE, "The file is empty: it has 0 bytes.", DOWNLOAD_HINT)
    unsupported.refuse_lfs_pointer(head, size)
    _refuse_web_page(head)
    kind = _container(head)
    if kind is not None:
        _refuse_cut(head, size, kind)
        _refuse_sklearn(head, kind)
        return kind
    if head.startswith(b"PK\x05\x06"):
        raise Refusal(RefusalCode.NOT_A_MODEL, "The file is an empty zip archive.", KERAS_HINT)
    unsupported.refuse(head, size)
    message = f"The file's {size:,} bytes are of no format that the portal knows."
    raise Refusal(RefusalCode.UNKNOWN_FORMAT, message, KERAS_HINT)


def _container(head: bytes) -> Kind | None:
    if head.startswith(HDF5_MAGIC):
        return Kind.HDF5
    if head.startswith(b"PK\x03\x04"):
        return Kind.ZIP
    if len(head) > 1 and head[0] == 0x80 and head[1] in range(2, 6):
        return Kind.TORCH_LEGACY if TORCH_LEGACY_MAGIC in head[:64] else Kind.PICKLE
    if TEXT_PICKLE.match(head):
        return Kind.PICKLE
    if head[8:9] == b"{" and 2 <= int.from_bytes(head[:8], "little") <= 100_000_000:
        return Kind.SAFETENSORS
    return None


def _refuse_web_page(head: bytes) -> None:
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        message = "The file is a web page (HTML), perhaps an error page that was saved under a model's name."
        raise Refusal(RefusalCode.WEB_PAGE, message, DOWNLOAD_HINT)


def _refuse_cut(head: bytes, size: int, kind: Kind) -> None:
    """Refuse what is shorter than its own beginning says, or than any file of its kind."""
    stated = SMALLEST.get(head[:1], 0)
    if kind is Kind.HDF5:
        stated = max(stated, _hdf5_bytes(head))
    elif kind is Kind.SAFETENSORS:
        stated = 8 + int.from_bytes(head[:8], "little")
    if stated > size:
        message = f"The file is incomplete: it should have at least {stated:,} bytes, and {size:,} came."
        raise Refusal(RefusalCode.TRUNCATED, message, AGAIN_HINT)


def _hdf5_bytes(head: bytes) -> int:
    """The end that HDF5 writes into its superblock: at byte 40 in version 0, 44 in 1, 28 in 2 and 3; else 0."""
    place = {0: 40, 1: 44, 2: 28, 3: 28}.get(head[8]) if len(head) > 8 else None
    stated = int.from_bytes(head[place : place + 8], "little") if place is not None and len(head) >= place + 8 else 0
    return 0 if stated == 0xFFFF_FFFF_FFFF_FFFF else stated


def _refuse_sklearn(head: bytes, kind: Kind) -> None:
    if kind is Kind.PICKLE and (b"sklearn" in head or b"joblib" in head):
        message = "The file is a pickled scikit-learn model: opening a pickle runs the code in it."
        raise Refusal(RefusalCode.SKLEARN_PICKLE, message, KERAS_HINT)
