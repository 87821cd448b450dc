"""Files that are no model for the portal, each with its name and what to do instead: by their first bytes, or by the
members of an archive."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from classifier.admission.refusal import Refusal, RefusalCode

KERAS_HINT = "Upload a Keras file (.keras, or a whole model as .h5) or a PyTorch state_dict (.pth, .pt, .safetensors)."
UNPACK_HINT = "Unpack it, and upload the model file that is inside."
PROGRAM_HINT = "The portal runs no programs. " + KERAS_HINT
PICTURE_HINT = "Pictures belong to a case or a data set. " + KERAS_HINT
ONNX_HINT = (
    "Upload the file that it was exported from: the Keras model (.keras, .h5) or the PyTorch weights (.pth). Heat maps "
    "need the network's own layers, which an ONNX graph no longer has."
)
SAVED_MODEL_HINT = (
    "Load its folder with tf.keras.models.load_model (TensorFlow 2.15 or older), save the model with "
    "model.save('model.keras'), and upload that."
)
FROZEN_HINT = "Upload the Keras model that the graph was frozen from: a frozen graph has no layers to explain."


@dataclass(frozen=True)
class UnsupportedFormat:
    """`magic` stands at byte `at`; the code is the refusal's."""

    magic: bytes
    what: str
    hint: str = KERAS_HINT
    code: RefusalCode = RefusalCode.NOT_A_MODEL
    at: int = 0


UNSUPPORTED_FORMATS = (
    UnsupportedFormat(b"\xff\xd8\xff", "a JPEG picture", PICTURE_HINT),
    UnsupportedFormat(b"\x89PNG", "a PNG picture", PICTURE_HINT),
    UnsupportedFormat(b"GIF8", "a GIF picture", PICTURE_HINT),
    UnsupportedFormat(b"II*\x00", "a TIFF picture", PICTURE_HINT),
    UnsupportedFormat(b"MM\x00*", "a TIFF picture", PICTURE_HINT),
    UnsupportedFormat(b"WEBP", "a WebP picture", PICTURE_HINT, at=8),
    UnsupportedFormat(b"DICM", "a DICOM picture", PICTURE_HINT, at=128),
    UnsupportedFormat(b"%PDF", "a PDF document", "Upload the model that it describes. " + KERAS_HINT),
    UnsupportedFormat(b"\x1f\x8b", "a gzip archive", UNPACK_HINT),
    UnsupportedFormat(b"BZh", "a bzip2 archive", UNPACK_HINT),
    UnsupportedFormat(b"\xfd7zXZ", "an xz archive", UNPACK_HINT),
    UnsupportedFormat(b"\x28\xb5\x2f\xfd", "a Zstandard archive", UNPACK_HINT),
    UnsupportedFormat(b"7z\xbc\xaf", "a 7-Zip archive", UNPACK_HINT),
    UnsupportedFormat(b"Rar!", "a RAR archive", UNPACK_HINT),
    UnsupportedFormat(b"ustar", "a tar archive", UNPACK_HINT, at=257),
    UnsupportedFormat(b"x\x9c", "compressed by zlib, as joblib does with scikit-learn models"),
    UnsupportedFormat(b"GGUF", "a GGUF language model"),
    UnsupportedFormat(b"\x93NUMPY", "a NumPy array", "Upload the whole model or its state_dict. " + KERAS_HINT),
    UnsupportedFormat(
        b"MATLAB 5.0 MAT-file", "a MATLAB file", "Export the network from MATLAB to Keras, and upload that."
    ),
    UnsupportedFormat(b"\x7fELF", "a Linux program", PROGRAM_HINT),
    UnsupportedFormat(b"MZ", "a Windows program", PROGRAM_HINT),
    UnsupportedFormat(b"\xcf\xfa\xed\xfe", "a macOS program", PROGRAM_HINT),
    UnsupportedFormat(b"\xca\xfe\xba\xbe", "a Java class or a macOS program", PROGRAM_HINT),
    UnsupportedFormat(b"SQLite format 3", "a SQLite database"),
    UnsupportedFormat(
        b"TFL3",
        "a TensorFlow Lite model, which the portal does not read",
        "Upload the Keras model that it was converted from.",
        RefusalCode.TFLITE,
        at=4,
    ),
)

MODELS = (".keras", ".h5", ".hdf5", ".pth", ".pt", ".ckpt", ".safetensors", ".tar")
MEMBERS = (
    ("saved_model.pb", "a zipped TensorFlow SavedModel", SAVED_MODEL_HINT),
    (".onnx", "a zipped ONNX model", ONNX_HINT),
    (".npy", "a file of NumPy arrays (.npz)", "Upload the whole model or its state_dict. " + KERAS_HINT),
    (".jpg", "a zip archive of pictures", "Register it as a data set. " + KERAS_HINT),
    (".png", "a zip archive of pictures", "Register it as a data set. " + KERAS_HINT),
    ("[Content_Types].xml", "an office document", KERAS_HINT),
    (".class", "a Java or Android archive", PROGRAM_HINT),
)

LFS_POINTER = re.compile(rb"\Aversion https://git-lfs\.github\.com/spec/v1\n(?:.*\n)*?size (\d+)")
PYTHON = re.compile(r"^\s*(#!.*python|import \w|from \w[\w.]* import |def \w+\(|class \w+|print\()", re.MULTILINE)


def refuse(head: bytes, size: int) -> None:
    """Raise Refusal for a file of `size` bytes whose first bytes show what it is."""
    _refuse_protobuf(head)
    for known in UNSUPPORTED_FORMATS:
        if head[known.at :].startswith(known.magic):
            raise Refusal(known.code, f"The file is {known.what}.", known.hint)
    _refuse_text(head, size)


def refuse_lfs_pointer(head: bytes, size: int) -> None:
    """Raise Refusal for the note that Git LFS leaves in place of a file."""
    if match := LFS_POINTER.match(head):
        message = (
            f"The file is a Git LFS pointer of {size:,} bytes, a note in place of the model: "
            f"the model itself has {int(match[1]):,} bytes."
        )
        hint = "Run “git lfs pull” where you cloned it, or use “Download raw file” on its page, and upload that."
        raise Refusal(RefusalCode.GIT_LFS_POINTER, message, hint)


def archive(names: Sequence[str]) -> Refusal:
    """Return the refusal of a zip archive with these members, which is neither Keras' nor PyTorch's."""
    inside = [name for name in names if PurePosixPath(name).suffix.lower() in MODELS]
    if inside:
        message = f"The file is a zip archive around a model: {', '.join(inside[:3])}."
        return Refusal(RefusalCode.UNKNOWN_ARCHIVE, message, f"Unpack it, and upload {inside[0]} itself.")
    for ending, what, hint in MEMBERS:
        if any(name.endswith(ending) for name in names):
            return Refusal(RefusalCode.UNKNOWN_ARCHIVE, f"The file is {what}.", hint)
    shown = ", ".join(names[:5]) or "it is empty"
    return Refusal(RefusalCode.UNKNOWN_ARCHIVE, f"The file is a zip archive of something else: {shown}.", KERAS_HINT)


def _refuse_protobuf(head: bytes) -> None:
    """Three formats without a magic number: their first fields tell them apart.

    ONNX: IR version, then a text or the graph. SavedModel: schema 1, then a graph. Frozen graph: a node with a name.
    """
    if len(head) < 8:
        return
    if head[:3] == b"\x08\x01\x12":
        raise Refusal(
            RefusalCode.SAVED_MODEL,
            "The file is a TensorFlow SavedModel's saved_model.pb, without its weights.",
            SAVED_MODEL_HINT,
        )
    if head[0] == 0x08 and 1 <= head[1] <= 20 and head[2] in (0x12, 0x1A, 0x22, 0x32, 0x3A, 0x42):
        message = f"The file is an ONNX model (IR version {head[1]}), which the portal does not read."
        raise Refusal(RefusalCode.ONNX, message, ONNX_HINT)
    if re.match(rb"\x0a[\x02-\xff]{1,3}\x0a.[\w./-]+\x12.[A-Z]\w+", head, re.DOTALL):
        raise Refusal(RefusalCode.FROZEN_GRAPH, "The file is a frozen TensorFlow graph (.pb).", FROZEN_HINT)


def _refuse_text(head: bytes, size: int) -> None:
    try:
        text = head.decode("utf-8", "strict" if size <= len(head) else "ignore").removeprefix("\ufeff")
    except UnicodeDecodeError:
        return
    if any(ord(letter) < 32 and letter not in "\t\r\n\f" for letter in text):
        return
    if text.startswith("#!") and "python" not in text.partition("\n")[0]:
        raise Refusal(RefusalCode.SCRIPT, "The file is a script, not a model.", PROGRAM_HINT)
    if text.lstrip().startswith(("{", "[")):
        raise _json(text, size)
    if PYTHON.search(text):
        message = "The file is a Python script, not a model."
        raise Refusal(RefusalCode.SCRIPT, message, "Run the script, save the model it makes, and upload that.")
    if text.lstrip().startswith("<?xml"):
        raise Refusal(RefusalCode.TEXT, "The file is XML, not a model.", KERAS_HINT)
    if text.startswith("model_checkpoint_path:"):
        hint = "Load the checkpoint in TensorFlow, save the model with model.save('model.keras'), and upload that."
        raise Refusal(RefusalCode.TEXT, "The file is a TensorFlow checkpoint's index, a text without weights.", hint)
    if _is_table(text):
        hint = "A table of labels belongs to a data set. " + KERAS_HINT
        raise Refusal(RefusalCode.TEXT, "The file is a table (CSV), not a model.", hint)
    raise Refusal(RefusalCode.TEXT, "The file is plain text, not a model.", KERAS_HINT)


def _json(text: str, size: int) -> Refusal:
    if '"cells"' in text or '"nbformat"' in text:
        hint = "Run the notebook, save the model it makes, and upload that."
        return Refusal(RefusalCode.SCRIPT, "The file is a Jupyter notebook, not a model.", hint)
    if '"class_name"' in text or '"keras_version"' in text:
        message = "The file is a Keras model's description (JSON), without its weights."
        return Refusal(RefusalCode.JSON, message, "Save the whole model: model.save('model.keras'), and upload that.")
    try:
        json.loads(text)
    except ValueError:
        if size <= len(text):
            return Refusal(RefusalCode.TEXT, "The file is plain text, not a model.", KERAS_HINT)
    return Refusal(
        RefusalCode.JSON,
        "The file is JSON, not a model.",
        "Is it the manifest? It goes into its own field. " + KERAS_HINT,
    )


def _is_table(text: str) -> bool:
    lines = [line for line in text.splitlines()[:3] if line]
    counts = [{mark: line.count(mark) for mark in ",;\t"} for line in lines[:2]]
    return len(counts) == 2 and any(counts[0][mark] == counts[1][mark] > 0 for mark in ",;\t")
