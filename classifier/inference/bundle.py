"""A bundle: the verified, converted files that a worker loads for a model record. It holds no code.

A folder with `bundle.json` (format, framework, manifest, network, layer, hashes), `weights.safetensors` and, from
format 2 on, perhaps `network.onnx`: the same network as a graph, for the engine that answers then.
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
from safetensors import SafetensorError

from classifier.inference.input.manifest import Manifest

FORMAT = 2
READABLE_FORMATS = (1, 2)
DESCRIPTION, WEIGHTS, GRAPH = "bundle.json", "weights.safetensors", "network.onnx"

Tensors = Mapping[str, npt.NDArray[Any]]


class BundleError(Exception):
    """The bundle cannot be used; the message says why."""


@dataclass(frozen=True)
class Graph:
    """The bytes of `network.onnx`; `feature_layer` is a `graph.FeatureLayer` as JSON, None where there is none."""

    content: bytes
    feature_layer: Mapping[str, Any] | None


@dataclass(frozen=True)
class Bundle:
    """`network` is the framework's own description: a checked Keras config, or a PyTorch architecture.

    `layer` is "" where no layer keeps the picture's geometry, None where nobody has looked yet.
    Where there is a graph, `tensors` are read only for the framework itself, and empty otherwise.
    """

    folder: Path
    manifest: Manifest
    network: Mapping[str, Any]
    layer: str | None
    sha256: str
    tensors: dict[str, npt.NDArray[Any]]
    graph: Graph | None = None

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
        "manifest": manifest.model_dump(mode="json"),
        "network": network,
        "layer": layer,
        "weights": {"file": WEIGHTS, "sha256": digest, "bytes": len(content)},
    }
    _write(folder / DESCRIPTION, json.dumps(description).encode())
    return digest


def add_proven(
    folder: Path, *, layer: str, graph: Path | None = None, feature_layer: Mapping[str, Any] | None = None
) -> None:
    """Name the layer of the maps ("" for none) in the description; move a checked graph into the bundle, if any."""
    description = json.loads((folder / DESCRIPTION).read_bytes()) | {"layer": layer}
    if graph is not None:
        content = graph.read_bytes()
        graph.replace(folder / GRAPH)
        sha256 = hashlib.sha256(content).hexdigest()
        description["graph"] = {"file": GRAPH, "sha256": sha256, "bytes": len(content), "cut": feature_layer}
    _write(folder / DESCRIPTION, json.dumps(description).encode())


def read(folder: Path, *, native: bool = False) -> Bundle:
    """Read the files into memory, check their hashes there, and return what is in them. Raises BundleError.

    `native`: read the weights for the framework itself, although there is a graph.
    """
    try:
        description = json.loads((folder / DESCRIPTION).read_bytes())
        return _described(folder, description, native)
    except (OSError, ValueError, LookupError, TypeError, AttributeError, SafetensorError) as error:
        raise _unreadable(error) from error


def _described(folder: Path, description: dict[str, Any], native: bool) -> Bundle:
    if description.get("format") not in READABLE_FORMATS:
        raise BundleError(f"its format {description.get('format')!r} is not known to this version")
    described = None if native else description.get("graph")
    graph = None
    if described:
        graph = Graph(_checked(folder / GRAPH, described), described["cut"])
    tensors = {} if graph else safetensors.numpy.load(_checked(folder / WEIGHTS, description["weights"]))
    return Bundle(
        folder=folder,
        manifest=Manifest.model_validate(description["manifest"]),
        network=description["network"],
        layer=description["layer"],
        sha256=description["weights"]["sha256"],
        tensors=tensors,
        graph=graph,
    )


def _checked(path: Path, described: Mapping[str, Any]) -> bytes:
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != described["sha256"]:
        raise BundleError("its weights are not those that were checked")
    return content


def _unreadable(error: Exception) -> BundleError:
    return BundleError(f"its files cannot be read ({type(error).__name__})")


def _write(path: Path, content: bytes) -> None:
    """Write beside and rename, so that a file is whole or not there."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_bytes(content)
    beside.replace(path)
