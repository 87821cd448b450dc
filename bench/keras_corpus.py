"""How many Keras files of old versions are admitted, and how near their answers come to those of the old Keras.

    python3.8 -m venv /tmp/keras-2.4 && /tmp/keras-2.4/bin/pip install tensorflow-cpu==2.4.4
    /tmp/keras-2.4/bin/python bench/keras_corpus_maker.py /tmp/corpus/2.4
    python -m bench.keras_corpus /tmp/corpus/* [--only WORD] [--in-process] [--table]

Each folder is one version. `--in-process` does the same work in one process, which is quicker while developing.
"""

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from classifier.admission import admit as admission
from classifier.admission.formats import sniff

TOLERANCE = 1e-4


@dataclass(frozen=True)
class Result:
    """What became of one file: `code` of the refusal, or how far the answers are from the old Keras' own."""

    version: str
    name: str
    expected: str
    code: str
    message: str
    difference: float
    seconds: float

    @property
    def good(self) -> bool:
        if self.expected != "admitted":
            return self.code == self.expected
        return self.code == "admitted" and self.difference <= TOLERANCE


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--in-process", action="store_true")
    parser.add_argument("--table", action="store_true")
    options = parser.parse_args()
    notes = [note for folder in options.folders for note in sorted(folder.glob("*.json")) if options.only in note.name]
    results = []
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        for note in notes:
            result = pool.submit(_tried, note, confined=not options.in_process).result()
            results.append(result)
            mark = "  " if result.good else "✗ "
            print(
                f"{mark}{result.version:6} {result.name:34} {result.code:18} {result.difference:8.1e} "
                f"{result.seconds:5.1f} s {result.message[:400]}",
                file=sys.stderr,
                flush=True,
            )
    for line in table(results) if options.table else [summary(results)]:
        print(line)


def _tried(note: Path, *, confined: bool) -> Result:
    told = json.loads(note.read_text())
    oracle = np.load(note.with_suffix(".npz"))
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        work = _admitted if confined else _rebuilt
        difference, code, message = work(note.with_name(told["file"]), told, oracle, Path(folder))
    if "keras" in sys.modules:
        sys.modules["keras"].backend.clear_session()
    seconds = time.perf_counter() - began
    return Result(note.parent.name.lstrip("c"), note.stem, told["expect"], code, message, difference, seconds)


def _rebuilt(upload: Path, told: dict[str, Any], oracle: Any, folder: Path) -> tuple[float, str, str]:
    """The first child's reading and rebuilding, without its confinement, its bundle and the second child's checks."""
    from classifier.admission.keras import facts, load
    from classifier.admission.manifest import merge
    from classifier.admission.refusal import Refusal
    from classifier.admission.report import Report
    from skinsite.sandbox import zip_archives

    report = Report()
    try:
        declared = merge.read_declared(told["manifest"])
        with upload.open("rb") as file:
            if sniff.sniff(file.read(sniff.HEAD_BYTES), upload.stat().st_size) is sniff.Kind.HDF5:
                saved = load.read_hdf5(file, declared, report)
            else:
                zip_archives.names(file, load.BOUNDS)
                saved = load.read_archive(file, folder, report)
            model = load.rebuild(saved, declared, report)
        load.describe(model)
        _inferred, manifest = merge.complete(declared, facts.read(model), report)
        vectors = oracle["vectors"] if "vectors" in oracle.files else None
        scores = facts.native(model)(oracle["pixels"], vectors).astype(np.float64)
    except Refusal as refusal:
        return float("nan"), refusal.problem.code, refusal.problem.message
    return _distance(scores, oracle["outputs"], manifest.output), "admitted", ""


def _admitted(upload: Path, told: dict[str, Any], oracle: Any, folder: Path) -> tuple[float, str, str]:
    """The whole admission; the bundle answers as it does in a worker."""
    from classifier.inference import bundle as bundles

    result = admission.admit(upload=upload, manifest=told["manifest"], into=folder)
    if result.error is not None or result.bundle is None:
        problem = result.error
        return float("nan"), problem.code if problem else "", problem.message if problem else ""
    from classifier.inference.networks.keras import KerasClassifier

    found = bundles.read(result.bundle, native=True)
    vectors = oracle["vectors"] if "vectors" in oracle.files else None
    scores = KerasClassifier(found).output(oracle["pixels"], vectors).logits.astype(np.float64)
    if found.manifest.output == "softmax":
        scores = np.exp(scores - scores.max(axis=1, keepdims=True))
        scores /= scores.sum(axis=1, keepdims=True)
    if found.manifest.output == "sigmoid":
        scores = 1 / (1 + np.exp(-scores))
    return _distance(scores, oracle["outputs"], found.manifest.output), "admitted", ""


def _distance(scores: Any, wanted: Any, output: str) -> float:
    """The largest difference of one number of any picture; of logits above 1, relative to their size."""
    difference = np.abs(scores - wanted)
    return float((difference / np.maximum(1, np.abs(wanted)) if output == "logits" else difference).max())


def summary(results: list[Result]) -> str:
    good = sum(result.good for result in results)
    refused = Counter(result.code for result in results if result.code != "admitted")
    return json.dumps({"files": len(results), "as_expected": good, "refused": refused})


def table(results: list[Result]) -> list[str]:
    """One line a version, then what was not as expected."""
    lines = [
        "| Keras | files | to be admitted | admitted | equal within 1e-4 | largest difference | refused as expected |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for version in dict.fromkeys(result.version for result in results):
        mine = [result for result in results if result.version == version]
        wanted = [result for result in mine if result.expected == "admitted"]
        admitted = [result for result in wanted if result.code == "admitted"]
        refused = [result for result in mine if result.expected != "admitted"]
        worst = max((result.difference for result in admitted), default=float("nan"))
        equal = sum(result.good for result in wanted)
        lines.append(
            f"| {version} | {len(mine)} | {len(wanted)} | {len(admitted)} | {equal} | {worst:.1e} "
            f"| {sum(r.good for r in refused)} of {len(refused)} |"
        )
    for result in results:
        if not result.good:
            lines.append(f"- {result.version} {result.name}: {result.code} {result.difference:.1e} {result.message}")
    return [*lines, summary(results)]


if __name__ == "__main__":
    main()
