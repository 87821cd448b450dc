"""The first child's task: open the upload, check it, rebuild the network, and write the bundle."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from classifier.admission.formats import origin, unsupported
from classifier.admission.formats.sniff import Kind
from classifier.admission.keras import load as keras_files
from classifier.admission.manifest import merge
from classifier.admission.manifest.facts import Facts
from classifier.admission.refusal import Refusal, RefusalCode
from classifier.admission.report import Report, answered
from classifier.admission.stages.probe import check_finite
from classifier.admission.stages.probe_images import pictures
from classifier.admission.torch import load as torch_files
from classifier.inference import bundle, outputs
from classifier.inference.input import clinical
from classifier.inference.input.clinical import Clinical
from classifier.inference.input.manifest import Json, Manifest, PartialManifest
from classifier.inference.input.preprocess import network_input
from skinsite.sandbox import zip_archives

UNPARTED = (
    "the network's last step cannot be taken off: the heat maps explain the logarithm of a class's probability p, or "
    "log p/(1 - p) of a sigmoid, and not a score before it"
)

Floats = NDArray[np.float32]
Native = Callable[[Floats, Floats | None], Floats]


def convert(descriptor: int, kind: str, manifest: Json) -> Json:
    """Answer for an open upload; the bundle goes to `bundle/` in the working folder."""
    declared = PartialManifest.model_validate(manifest)
    with os.fdopen(descriptor, "rb") as file:
        return answered(lambda report: _convert(file, Kind(kind), declared, Path.cwd(), report))


def _convert(file: IO[bytes], kind: Kind, declared: PartialManifest, folder: Path, report: Report) -> Json:
    report.passed("origin", origin.describe(file, kind))
    if kind is Kind.HDF5:
        return _convert_keras(keras_files.read_hdf5(file, declared, report), declared, folder, report)
    if kind is Kind.ZIP:
        names = zip_archives.names(file, torch_files.BOUNDS)
        if keras_files.is_keras_archive(names):
            return _convert_keras(keras_files.read_archive(file, folder, report), declared, folder, report)
        if not torch_files.is_torch_archive(names):
            raise unsupported.archive(names)
    return _convert_torch(file, kind, declared, folder, report)


def _convert_keras(saved: keras_files.Saved, declared: PartialManifest, folder: Path, report: Report) -> Json:
    from classifier.admission.keras import facts as keras_facts
    from classifier.inference.networks import keras as keras_network
    from classifier.inference.networks import keras_activation

    model = keras_files.rebuild(saved, declared, report)
    facts = keras_facts.read(model)
    report.passed("rebuild", f"{facts.architecture}, {facts.parameters:,} parameters")
    inferred, manifest = merge.complete(declared, facts, report)
    if manifest.output in ("softmax", "sigmoid") and not keras_activation.is_removable(model):
        report.passed("output", UNPARTED)
    network = keras_files.describe(model)
    answer = _finish(manifest, facts, network, keras_network.dump(model), keras_facts.native(model), folder, report)
    return answer | {"inferred": inferred.to_json()}


def _convert_torch(file: IO[bytes], kind: Kind, declared: PartialManifest, folder: Path, report: Report) -> Json:
    from classifier.admission.torch import rebuild

    weights = torch_files.read(file, kind)
    report.passed("weights", f"{len(weights.tensors)} tensors, read as weights only")
    for note in weights.notes:
        report.passed("weights", note)
    rebuilt = rebuild.rebuild(weights.tensors, declared, report)
    inferred, manifest = merge.complete(declared, rebuilt.facts, report, architecture=rebuilt.architecture)
    network = {"architecture": rebuilt.architecture, "outputs": rebuilt.facts.outputs}
    answer = _finish(manifest, rebuilt.facts, network, rebuilt.arrays, rebuilt.native, folder, report)
    return answer | {"inferred": inferred.to_json()}


def _finish(
    manifest: Manifest,
    facts: Facts,
    network: Json,
    tensors: bundle.Tensors,
    native: Native,
    folder: Path,
    report: Report,
) -> Json:
    """Write the bundle, and ask the framework's own model what the bundle has to repeat."""
    rows = np.concatenate([_row(picture, manifest, native) for picture in pictures()])
    check_finite(rows)
    logits = rows
    if facts.framework == "keras":  # a rebuilt state_dict never ends with what `output` says
        check_output(rows, manifest.output)
        logits = outputs.to_logits(rows, manifest.output)
    into = folder / "bundle"
    into.mkdir()
    bundle.write(into, manifest=manifest, network=network, tensors=tensors, layer=manifest.layer or None)
    report.passed("convert", f"{len(tensors)} arrays as safetensors, the description as JSON, no code")
    return {
        "framework": facts.framework,
        "architecture": facts.architecture,
        "parameters": facts.parameters,
        "outputs": outputs.to_probabilities(logits, manifest.output).tolist(),
    }


def _row(picture: NDArray[np.uint8], manifest: Manifest, native: Native) -> Floats:
    """The network's own numbers for one picture, float32 (1, outputs). Raises Refusal where its size does not fit."""
    spec = manifest.input
    vector = None if spec.clinical == "none" else clinical.encode(spec.clinical, Clinical())[None]
    try:
        return native(network_input(picture, spec)[None], vector)
    except MemoryError:
        raise
    except Exception as error:
        message = f"The network cannot take a picture of {spec.width} by {spec.height} pixels: {_short(error)}"
        hint = "Correct “input.width” and “input.height”, and with a state_dict the “architecture”, in the manifest."
        raise Refusal(RefusalCode.INPUT_SIZE, message, hint) from error


def check_output(rows: Floats, output: str) -> None:
    """Raises Refusal where a network's own numbers, (n, outputs), cannot be what the manifest's `output` says."""
    if outputs.is_possible(rows, output):
        return
    summed = ""
    if output != "sigmoid":
        shares = np.exp(rows[0]) if output == "log_softmax" else rows[0]
        summed = f", and as probabilities of one picture sum to {float(shares.sum()):.3g}"
    low, high = float(rows.min()), float(rows.max())
    message = f"The manifest says that the model ends with {output}: its numbers go from {low:.3g} to {high:.3g}"
    hint = "Say in the manifest's “output” what the file itself ends with: its numbers may be logits."
    raise Refusal(RefusalCode.OUTPUT_MISMATCH, f"{message}{summed}.", hint)


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
