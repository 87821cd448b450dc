"""A bundle: the verified, converted files that a worker loads for a model record. It holds no code.

A folder with `bundle.json` (format, framework, manifest, network, layer, weights' hash) and `weights.safetensors`.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import safetensors.numpy

from classifier.inference.manifest import Manifest

FORMAT = 1
READABLE_FORMATS = (1,)
DESCRIPTION, WEIGHTS = "bundle.json", "weights.safetensors"

Tensors = Mapping[str, npt.NDArray[Any]]


class BundleError(Exception):
    """The bundle cannot be used; the message says why."""


@dataclass(frozen=True)
class Bundle:
    """`network` is the framework's own description: a checked Keras config, or a PyTorch architecture."""

    manifest: Manifest
    network: Mapping[str, Any]
    layer: str | None
    sha256: str
    tensors: dict[str, npt.NDArray[Any]]

    @property
    def framework(self) -> str:
        return self.manifest.framework


def write(
    folder: Path, *, manifest: Manifest, network: Mapping[str, Any], tensors: Tensors, layer: str | None = None
) -> str:
    """Write a bundle into an existing folder and return its weights' SHA-256; the description comes last."""
    content = safetensors.numpy.save({name: np.asarray(value, order="C") for name, value in tensors.items()})
    digest = hashlib.sha256(content).hexdigest()
    _write(folder / WEIGHTS, content)
    description = {
        "format": FORMAT,
        "framework": manifest.framework,
        "manifest": manifest.to_json(),
        "network": network,
        "layer": layer,
        "weights": {"file": WEIGHTS, "sha256": digest, "bytes": len(content)},
    }
    _write(folder / DESCRIPTION, json.dumps(description).encode())
    return digest


def read(folder: Path) -> Bundle:
    """Read the files into memory, check the hash there, and return what is in them. Raises BundleError."""
    try:
        description = json.loads((folder / DESCRIPTION).read_bytes())
        content = (folder / WEIGHTS).read_bytes()
    except (OSError, ValueError) as error:
        raise BundleError(f"its files cannot be read ({type(error).__name__})") from error
    if description.get("format") not in READABLE_FORMATS:
        raise BundleError(f"its format {description.get('format')!r} is not known to this version")
    digest = hashlib.sha256(content).hexdigest()
    if digest != description["weights"]["sha256"]:
        raise BundleError("its weights are not those that were checked")
    return Bundle(
        manifest=Manifest.from_json(description["manifest"]),
        network=description["network"],
        layer=description["layer"],
        sha256=digest,
        tensors=safetensors.numpy.load(content),
    )


def _write(path: Path, content: bytes) -> None:
    """Write beside and rename, so that a file is whole or not there."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_bytes(content)
    beside.replace(path)
