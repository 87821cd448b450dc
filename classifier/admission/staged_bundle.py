"""A bundle that a confined child wrote: looked at file by file, then moved to its place."""

import hashlib
import json
import os
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema

from classifier.admission.keras import config
from classifier.admission.manifest.schemas import DESCRIPTION
from classifier.admission.refusal import Refusal
from classifier.inference import bundle
from classifier.inference.input.manifest import Manifest
from skinsite.sandbox import scratch
from skinsite.sandbox.ask import InvalidChildOutput, open_regular

DESCRIPTION_BYTES = 16 * 1024**2  # parsed here: a few hundred MB of objects at worst
WEIGHTS_BYTES = 4 * 1024**3
GRAPH_BYTES = 2 * 1024**3
PREFIX = 16


@dataclass(frozen=True)
class StagedBundle:
    """A folder with exactly the files of a bundle; `sha256` is the weights', `digest` that of all files."""

    folder: Path
    sha256: str
    digest: str
    bytes: int

    def move(self, into: Path) -> Path:
        """Give the folder its name below `into` in one step; the same files may be there already, from before.

        What has this name and other files is damaged: it is moved aside, and removed with the abandoned folders.
        """
        final = into / self.digest[:PREFIX]
        if _is_whole(final, self.digest):
            return final
        _flush(self.folder)
        if os.path.lexists(final):
            final.rename(into / f"{scratch.PREFIX}{self.digest[:PREFIX]}-{secrets.token_hex(4)}")
        os.rename(self.folder, final)  # noqa: PTH104 (refuses a folder that is not empty)
        return final


def take(written: Path, clean: Path, manifest: Manifest) -> StagedBundle:
    """Move the two files out of the child's folder into a new one. Raises InvalidChildOutput for anything unexpected.

    The manifest, the hash and the sizes must be those that this process knows itself, and a Keras network passes the
    static check once more.
    """
    if not stat.S_ISDIR(written.lstat().st_mode if os.path.lexists(written) else 0):
        raise InvalidChildOutput(f"{written.name} is no folder")
    clean.mkdir(mode=0o700)
    sizes = {}
    for name, limit in ((bundle.DESCRIPTION, DESCRIPTION_BYTES), (bundle.WEIGHTS, WEIGHTS_BYTES)):
        sizes[name] = _claim(written / name, limit)
        (written / name).rename(clean / name)
    sha256 = _hash(clean / bundle.WEIGHTS)
    _check_description(clean / bundle.DESCRIPTION, manifest, sha256, sizes[bundle.WEIGHTS])
    return StagedBundle(clean, sha256, _digest(clean), sum(sizes.values()))


def proven(
    taken: StagedBundle, layer: str, written: Path | None = None, feature_layer: dict[str, Any] | None = None
) -> StagedBundle:
    """Add the layer of the maps, and the graph that a child wrote. Raises InvalidChildOutput for another."""
    if written is not None:
        _check_graph(written, feature_layer)
    bundle.add_proven(taken.folder, layer=layer, graph=written, feature_layer=feature_layer)
    size = sum(path.stat().st_size for path in taken.folder.iterdir())
    return StagedBundle(taken.folder, taken.sha256, _digest(taken.folder), size)


def _check_graph(written: Path, feature_layer: dict[str, Any] | None) -> None:
    from classifier.inference.graph import graph as graphs  # onnx: not in the web process

    _claim(written, GRAPH_BYTES)
    try:
        graph = graphs.parse(written.read_bytes())
        if feature_layer is not None:
            graphs.Head(graph, graphs.FeatureLayer.from_json(feature_layer))
    except graphs.GraphError as error:
        raise InvalidChildOutput(f"the graph cannot be used: {error}") from error


def _claim(path: Path, limit: int) -> int:
    """Make a child's regular file ours and return its bytes; the child may have been another user."""
    descriptor = open_regular(path, limit)
    try:
        os.fchown(descriptor, os.geteuid(), os.getegid())
        os.fchmod(descriptor, 0o600)
        return os.fstat(descriptor).st_size
    finally:
        os.close(descriptor)


def _check_description(path: Path, manifest: Manifest, sha256: str, size: int) -> None:
    try:
        description = json.loads(path.read_bytes())
        jsonschema.validate(description, DESCRIPTION)
    except (ValueError, RecursionError, jsonschema.ValidationError):
        raise InvalidChildOutput("the bundle's description does not fit its schema") from None
    expected = {
        "format": bundle.FORMAT,
        "framework": manifest.framework,
        "manifest": manifest.model_dump(mode="json"),
        "weights": {"file": bundle.WEIGHTS, "sha256": sha256, "bytes": size},
    }
    different = [name for name, value in expected.items() if description[name] != value]
    if different:
        raise InvalidChildOutput(f"the bundle's {', '.join(different)} is not the merged one")
    _check_network(description["network"], manifest)


def _check_network(network: dict[str, Any], manifest: Manifest) -> None:
    if manifest.framework == "torch":
        allowed = [{"architecture": manifest.architecture, "outputs": count} for count in (1, len(manifest.classes))]
        if network not in allowed:
            raise InvalidChildOutput("the bundle's network is not the manifest's architecture")
        return
    try:
        config.check(network)
    except Refusal as refusal:
        raise InvalidChildOutput(f"the bundle's network is not the checked one: {refusal}") from refusal


def _is_whole(folder: Path, digest: str) -> bool:
    try:
        return _digest(folder) == digest
    except OSError:
        return False


def _digest(folder: Path) -> str:
    hashes = "".join(_hash(path) for path in sorted(folder.iterdir()))
    return hashlib.sha256(hashes.encode()).hexdigest()


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _flush(folder: Path) -> None:
    """Have all files on the disk before the folder gets its name."""
    for path in folder.iterdir():
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
