"""Keras files from outside: `.keras` archives and HDF5, rebuilt from their checked configuration or the manifest's."""

import json
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import h5py

from classifier.admission.formats import hdf5
from classifier.admission.keras import architectures, operations, repairs, stored_weights
from classifier.admission.keras import config as keras_config
from classifier.admission.keras import weights as keras_weights
from classifier.admission.refusal import Refusal, RefusalCode
from classifier.admission.report import Report
from classifier.inference.input.manifest import PartialManifest
from skinsite.sandbox import zip_archives
from skinsite.sandbox.zip_archives import Bounds

if TYPE_CHECKING:
    import keras

CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
METADATA_BYTES = 64 * 1024
# Where a weights file of Keras 3, or of Keras 2.12 to 2.15, keeps its layers.
NEW_LAYOUT = ("layers", "_layer_checkpoint_dependencies")
BOUNDS = Bounds(members=64, total_bytes=4 * 1024**3)
HINT = "Save the whole model with model.save('model.keras') and upload that file as it is."


@dataclass(frozen=True)
class Saved:
    """A checked configuration, None for weights alone; the checked weights in a file of ours, or in an open group."""

    config: dict[str, Any] | None
    path: Path | None = None
    group: h5py.Group | None = None


def is_keras_archive(names: Iterable[str]) -> bool:
    return CONFIG in set(names)


def read_archive(file: IO[bytes], folder: Path, report: Report) -> Saved:
    """Check a `.keras` archive and unpack its weights into `folder`. Raises Refusal; Keras is not imported."""
    with zip_archives.open_checked(file, BOUNDS) as archive:
        _check_members(archive.namelist())
        report.passed("archive", f"{len(archive.infolist())} members, each within its limits, none overlapping")
        version = _archive_version(archive)
        config = _checked(zip_archives.read(archive, CONFIG, keras_config.MAX_BYTES), version, report)
        path = folder / WEIGHTS
        zip_archives.unpack(archive, WEIGHTS, path)
    with path.open("rb") as weights:
        opened, sentence = hdf5.open_checked(weights)
        opened.close()
    report.passed("hdf5", sentence)
    return Saved(config, path=path)


def read_hdf5(file: IO[bytes], declared: PartialManifest, report: Report) -> Saved:
    """Check a whole model, or weights whose network the manifest names. Raises Refusal; Keras is not imported."""
    opened, sentence = hdf5.open_checked(file)
    report.passed("hdf5", sentence)
    try:
        return _read_groups(opened, declared, report)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        message = "The file's layers are not named as Keras names them: “layer_names” is a list of texts, a group each."
        raise _damaged(message) from error


def _read_groups(opened: h5py.File, declared: PartialManifest, report: Report) -> Saved:
    text = opened.attrs.get("model_config")
    if isinstance(text, str | bytes):
        if not isinstance(opened.get("model_weights"), h5py.Group):
            raise _damaged("The file has a model's description and no group “model_weights”.")
        return Saved(_checked(text, _version(opened), report), group=opened["model_weights"])
    group = opened.get("model_weights", opened)
    if not isinstance(group, h5py.Group):
        raise _damaged("The file's “model_weights” is an array, and no group of layers.")
    if stored_weights.is_named(group):
        _require_architecture(stored_weights.tops(group), declared)
        return Saved(None, group=group)
    if not any(name in opened for name in NEW_LAYOUT):
        message = f"The HDF5 file is no Keras model: it holds {_listed(list(opened))}, and no layers."
        raise Refusal(RefusalCode.NO_MODEL, message, HINT)
    _require_architecture([name for part in NEW_LAYOUT for name in opened.get(part, ())], declared)
    return Saved(None, group=opened)


def rebuild(saved: Saved, declared: PartialManifest, report: Report) -> "keras.Model":
    """Return the framework's own model with its weights. Raises Refusal where Keras cannot rebuild it."""
    try:
        model = architectures.build(declared) if saved.config is None else _build(saved)
        if saved.group is not None:
            operations.check_ranks(model)
            read = stored_weights.read if stored_weights.is_named(saved.group) else stored_weights.read_new
            report.passed("weights", keras_weights.match(read(saved.group), model))
        else:
            model.load_weights(str(saved.path))
        return model
    except (MemoryError, Refusal):
        raise
    except Exception as error:
        if saved.config is None:
            message = f"The weights do not fit the network that the manifest names: {_short(error)}"
            raise Refusal(RefusalCode.WEIGHTS_DO_NOT_FIT, message, architectures.HINT, check="rebuild") from error
        message = f"Keras cannot rebuild the model: {_short(error)}"
        hint = "Open and save the model again with the newest Keras 3, and upload that file."
        raise Refusal(RefusalCode.CANNOT_REBUILD, message, hint) from error


def describe(model: "keras.Model") -> dict[str, Any]:
    """Return the model's configuration as Keras 3 writes it, checked like one from outside. Raises Refusal."""
    import keras

    config = keras_config.parse(json.dumps(keras.saving.serialize_keras_object(model)))
    keras_config.check(config)
    return config


def _check_members(names: list[str]) -> None:
    """A folder's own entry is harmless; whatever else is inside would be a file that some layer reads."""
    extra = sorted(set(names) - {CONFIG, METADATA, WEIGHTS, "assets/"})
    missing = sorted({CONFIG, WEIGHTS} - set(names))
    if extra:
        message = f"The .keras archive holds more than a model: {', '.join(extra[:5])}."
        raise Refusal(RefusalCode.UNEXPECTED_MEMBER, message, HINT)
    if missing:
        raise Refusal(RefusalCode.INCOMPLETE_ARCHIVE, f"The .keras archive lacks {', '.join(missing)}.", HINT)


def _checked(text: bytes | str, keras_version: str, report: Report) -> dict[str, Any]:
    config = keras_config.parse(text)
    repaired, changes = repairs.repair(config, keras=_major(keras_version))
    sentence = keras_config.check(repaired)
    report.passed("configuration", f"{sentence}, written by Keras {keras_version or '(version unknown)'}")
    for change in changes:
        report.passed("repair", change)
    return repaired


def _major(version: str) -> int:
    return int(version[0]) if version[:1].isdigit() else 2


def _build(saved: Saved) -> "keras.Model":
    import keras
    from keras.src.legacy.saving import saving_options, saving_utils
    from keras.src.saving import serialization_lib

    if saved.path is not None and saved.config and "module" in saved.config:
        return keras.saving.deserialize_keras_object(saved.config, safe_mode=True)
    with saving_options.keras_option_scope(use_legacy_config=True), serialization_lib.SafeModeScope(True):
        return saving_utils.model_from_config(saved.config)


def _require_architecture(layers: list[str], declared: PartialManifest) -> None:
    if declared.architecture:
        return
    message = f"The file has only weights, of {len(layers)} layers ({_listed(layers)}), and no description of them."
    raise Refusal(RefusalCode.WEIGHTS_ONLY, message, architectures.HINT)


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:8]) or "nothing"
    return f"{shown} …" if len(names) > 8 else shown


def _archive_version(archive: zipfile.ZipFile) -> str:
    """The version of Keras that wrote the archive, or nothing."""
    if METADATA not in archive.namelist():
        return ""
    try:
        version = json.loads(zip_archives.read(archive, METADATA, METADATA_BYTES))["keras_version"]
    except (KeyError, TypeError, ValueError):
        return ""
    return str(version)[:20]


def _version(file: h5py.File) -> str:
    """The version of Keras that wrote the file, or nothing."""
    version = file.attrs.get("keras_version", "")
    return (version.decode("ascii", "replace") if isinstance(version, bytes) else str(version))[:20]


def _damaged(message: str) -> Refusal:
    return Refusal(RefusalCode.DAMAGED, message, HINT, check="hdf5")


def _short(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text[:300] or type(error).__name__
