"""What a file tells of the program that saved it; read in the confined child, believed by nobody, shown to people."""

import json
import zipfile
from typing import IO, Any

from classifier.admission.formats.sniff import Kind

TEXT_LENGTH = 60
MEMBER_BYTES = 64 * 1024
NO_VERSION = "does not say which version saved it"


def describe(file: IO[bytes], kind: Kind) -> str:
    """Return one sentence for any file of a known container; a damaged one only says less."""
    try:
        return {Kind.HDF5: _hdf5, Kind.ZIP: _zip}.get(kind, _other)(file, kind)
    except MemoryError:
        raise
    except Exception:  # whatever is wrong with the file is found, and named, by the checks that come later
        return f"{kind}, {NO_VERSION}"
    finally:
        file.seek(0)


def _hdf5(file: IO[bytes], kind: Kind) -> str:
    import h5py

    with h5py.File(file, "r") as opened:
        groups = {opened, opened.get("model_weights") or opened}
        stated = {name: _text(group.attrs.get(name)) for name in ("keras_version", "backend") for group in groups}
    if not stated["keras_version"]:
        return f"HDF5, {NO_VERSION}"
    backend = f" on {stated['backend']}" if stated["backend"] else ""
    return f"HDF5, saved by Keras {stated['keras_version']}{backend}"


def _zip(file: IO[bytes], kind: Kind) -> str:
    with zipfile.ZipFile(file) as archive:
        names = archive.namelist()
        if "metadata.json" in names:
            stated = json.loads(_member(archive, "metadata.json"))
            date = _text(stated.get("date_saved")).partition("@")[0]
            return f"Keras archive, saved by Keras {_text(stated['keras_version'])}{f' on {date}' if date else ''}"
        folder = next(name.partition("/")[0] for name in names if name.endswith("/data.pkl"))
        versions = [name for name in (f"{folder}/version", f"{folder}/.data/version") if name in names]
        version = f", archive format {_text(_member(archive, versions[0]).strip())}" if versions else ""
        return f"PyTorch zip archive (PyTorch 1.6 or later{version})"


def _other(file: IO[bytes], kind: Kind) -> str:
    if kind is Kind.SAFETENSORS:
        return f"safetensors, {NO_VERSION}"
    return f"{kind}, {NO_VERSION}"


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as member:
        return member.read(MEMBER_BYTES)


def _text(value: Any) -> str:
    text = value.decode(errors="replace") if isinstance(value, bytes) else value
    return text[:TEXT_LENGTH] if isinstance(text, str) else ""
