"""Keras files from outside: `.keras` archives and whole models in HDF5, rebuilt from their checked configuration."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from classifier.admission import archives, hdf5, keras_config, keras_repairs
from classifier.admission.archives import Bounds
from classifier.admission.outcome import Refusal, Report

if TYPE_CHECKING:
    import h5py
    import keras

CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
BOUNDS = Bounds(members=64, total_bytes=4 * 1024**3)
HINT = "Save the whole model with model.save('model.keras') and upload that file as it is."


@dataclass(frozen=True)
class Saved:
    """A checked configuration, and the checked weights: in a file of ours, or in a group of the open upload."""

    config: dict[str, Any]
    path: Path | None = None
    group: "h5py.Group | None" = None


def is_keras_archive(names: Iterable[str]) -> bool:
    return CONFIG in set(names)


def read_archive(file: IO[bytes], folder: Path, report: Report) -> Saved:
    """Check a `.keras` archive and unpack its weights into `folder`. Raises Refusal; Keras is not imported."""
    with archives.open_checked(file, BOUNDS) as archive:
        _check_members(archive.namelist())
        report.passed("archive", f"{len(archive.infolist())} members, each within its limits, none overlapping")
        config = _checked(archives.read(archive, CONFIG, keras_config.MAX_BYTES), report)
        path = folder / WEIGHTS
        archives.unpack(archive, WEIGHTS, path)
    with path.open("rb") as weights:
        opened, sentence = hdf5.open_checked(weights)
        opened.close()
    report.passed("hdf5", sentence)
    return Saved(config, path=path)


def read_hdf5(file: IO[bytes], report: Report) -> Saved:
    """Check a whole model in one HDF5 file. Raises Refusal; Keras is not imported."""
    opened, sentence = hdf5.open_checked(file)
    report.passed("hdf5", sentence)
    text = opened.attrs.get("model_config")
    if not isinstance(text, str | bytes):
        message = f"The file has only weights, in {len(opened)} groups, and no description of the layers."
        raise Refusal("configuration", "weights-only", message, "Save the whole model: model.save('model.keras').")
    if "model_weights" not in opened:
        raise Refusal("hdf5", "damaged", "The file has a model's description and no group “model_weights”.", HINT)
    return Saved(_checked(text, report), group=opened["model_weights"])


def rebuild(saved: Saved) -> "keras.Model":
    """Return the framework's own model with its weights. Raises Refusal where Keras cannot rebuild it."""
    try:
        return _rebuild_archive(saved) if saved.path is not None else _rebuild_hdf5(saved)
    except MemoryError:
        raise
    except Exception as error:
        message = f"Keras cannot rebuild the model: {_short(error)}"
        hint = "Open and save the model again with the newest Keras 3, and upload that file."
        raise Refusal("rebuild", "cannot-rebuild", message, hint) from error


def describe(model: "keras.Model") -> dict[str, Any]:
    """Return the model's configuration as Keras 3 writes it, checked like one from outside. Raises Refusal."""
    import keras

    config = json.loads(json.dumps(keras.saving.serialize_keras_object(model)))
    config.pop("compile_config", None)
    keras_config.check(config)
    return dict(config)


def _check_members(names: list[str]) -> None:
    """A folder's own entry is harmless; whatever else is inside would be a file that some layer reads."""
    extra = sorted(set(names) - {CONFIG, METADATA, WEIGHTS, "assets/"})
    missing = sorted({CONFIG, WEIGHTS} - set(names))
    if extra:
        message = f"The .keras archive holds more than a model: {', '.join(extra[:5])}."
        raise Refusal("archive", "unexpected-member", message, HINT)
    if missing:
        raise Refusal("archive", "incomplete-archive", f"The .keras archive lacks {', '.join(missing)}.", HINT)


def _checked(text: bytes | str, report: Report) -> dict[str, Any]:
    config = keras_config.parse(text)
    report.passed("configuration", keras_config.check(config))
    repaired, changes = keras_repairs.repair(config)
    for change in changes:
        report.passed("repair", change)
    return repaired


def _rebuild_archive(saved: Saved) -> "keras.Model":
    import keras

    model = keras.saving.deserialize_keras_object(saved.config, safe_mode=True)
    model.load_weights(str(saved.path))
    return model


def _rebuild_hdf5(saved: Saved) -> "keras.Model":
    from keras.src.legacy.saving import legacy_h5_format, saving_options, saving_utils
    from keras.src.saving import serialization_lib

    with saving_options.keras_option_scope(use_legacy_config=True), serialization_lib.SafeModeScope(True):
        model = saving_utils.model_from_config(saved.config)
        legacy_h5_format.load_weights_from_hdf5_group(saved.group, model)
    return model


def _short(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text[:300] or type(error).__name__
