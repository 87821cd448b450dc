"""What a file is, by its first 512 bytes: the only bytes of an upload that the portal's own processes read."""

import re
from enum import StrEnum

from classifier.admission.outcome import Refusal

HEAD_BYTES = 512

LFS_POINTER = re.compile(rb"\Aversion https://git-lfs\.github\.com/spec/v1\n(?:.*\n)*?size (\d+)")
TEXT_PICKLE = re.compile(rb"\A(?:c[\w.]+\n[\w.]+\n|\(dp\d|\(lp\d|\(i[\w.]+\n)")
PYTHON = re.compile(r"^\s*(#!.*python|import \w|from \w[\w.]* import |def \w+\(|class \w+|print\()", re.MULTILINE)
TORCH_LEGACY_MAGIC = b"\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19"
HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"

KERAS_HINT = "Upload a Keras file (.keras, or a whole model as .h5) or a PyTorch state_dict (.pth, .pt, .safetensors)."
DOWNLOAD_HINT = "Download the file itself (on GitHub: “Download raw file”), look at its size, and upload that."

FOREIGN = (
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"\x89PNG", "a PNG picture"),
    (b"GIF8", "a GIF picture"),
    (b"%PDF", "a PDF document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
    (b"Rar!", "a RAR archive"),
    (b"GGUF", "a GGUF language model"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"\x7fELF", "a Linux program"),
    (b"MZ", "a Windows program"),
)


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
        raise Refusal("content", "empty-file", "The file is empty: it has 0 bytes.", DOWNLOAD_HINT)
    _refuse_lfs_pointer(head)
    _refuse_web_page(head)
    kind = _container(head)
    if kind is not None:
        _refuse_cut_hdf5(head, size)
        _refuse_sklearn(head, kind)
        return kind
    _refuse_onnx(head)
    _refuse_foreign(head)
    _refuse_text(head, size)
    message = f"The file's {size:,} bytes are of no format that the portal knows."
    raise Refusal("content", "unknown-format", message, KERAS_HINT)


def _container(head: bytes) -> Kind | None:
    if head.startswith(HDF5_MAGIC):
        return Kind.HDF5
    if head.startswith(b"PK\x03\x04"):
        return Kind.ZIP
    if len(head) > 2 and head[0] == 0x80 and head[1] in range(2, 6):
        return Kind.TORCH_LEGACY if TORCH_LEGACY_MAGIC in head[:64] else Kind.PICKLE
    if TEXT_PICKLE.match(head):
        return Kind.PICKLE
    if head[8:9] == b"{" and 2 <= int.from_bytes(head[:8], "little") <= 100_000_000:
        return Kind.SAFETENSORS
    return None


def _refuse_lfs_pointer(head: bytes) -> None:
    if match := LFS_POINTER.match(head):
        message = (
            "The file is a Git LFS pointer, a note of a few lines in place of the model: "
            f"the model itself has {int(match[1]):,} bytes."
        )
        hint = "Download the real file: run “git lfs pull” in the clone, or use “Download raw file” on the page."
        raise Refusal("content", "git-lfs-pointer", message, hint)


def _refuse_web_page(head: bytes) -> None:
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        message = "The file is a web page (HTML), perhaps an error page that was saved under a model's name."
        raise Refusal("content", "web-page", message, DOWNLOAD_HINT)


def _refuse_cut_hdf5(head: bytes, size: int) -> None:
    """HDF5 writes its own end into the superblock: at byte 40 in versions 0 and 1 (44 in 1), at 28 in 2 and 3."""
    if not head.startswith(HDF5_MAGIC) or size < 48:
        return
    place = {0: 40, 1: 44, 2: 28, 3: 28}.get(head[8])
    if place is None:
        return
    stated = int.from_bytes(head[place : place + 8], "little")
    if stated != 0xFFFF_FFFF_FFFF_FFFF and stated > size:
        message = f"The file is incomplete: it should have {stated:,} bytes, and {size:,} came."
        raise Refusal("content", "truncated", message, "Upload it again, or download it again from its source.")


def _refuse_sklearn(head: bytes, kind: Kind) -> None:
    if kind is Kind.PICKLE and (b"sklearn" in head or b"joblib" in head):
        message = "The file is a pickled scikit-learn model: opening a pickle runs the code in it."
        raise Refusal("content", "sklearn-pickle", message, KERAS_HINT)


def _refuse_onnx(head: bytes) -> None:
    """An ONNX model is a protobuf message: field 1 (IR version) first, then a text or the graph."""
    if len(head) > 3 and head[0] == 0x08 and 1 <= head[1] <= 20 and head[2] in (0x12, 0x1A, 0x22, 0x32, 0x3A, 0x42):
        message = f"The file is an ONNX model (IR version {head[1]}), which the portal does not read."
        raise Refusal("content", "onnx", message, "Upload the Keras or PyTorch model that it was exported from.")
    if head[4:8] == b"TFL3":
        message = "The file is a TensorFlow Lite model, which the portal does not read."
        raise Refusal("content", "tflite", message, "Upload the Keras model that it was converted from.")


def _refuse_foreign(head: bytes) -> None:
    name = next((name for magic, name in FOREIGN if head.startswith(magic)), None)
    if name is None and head[257:262] == b"ustar":
        name = "a tar archive"
    if name is not None:
        raise Refusal("content", "not-a-model", f"The file is {name}, not a model.", KERAS_HINT)


def _refuse_text(head: bytes, size: int) -> None:
    try:
        text = head.decode("utf-8", "strict" if size <= HEAD_BYTES else "ignore")
    except UnicodeDecodeError:
        return
    if any(ord(letter) < 32 and letter not in "\t\r\n\f" for letter in text):
        return
    if PYTHON.search(text):
        message = "The file is a Python script, not a model."
        raise Refusal("content", "script", message, "Run the script, save the model it makes, and upload that.")
    raise Refusal("content", "text", "The file is plain text, not a model.", KERAS_HINT)
