"""The engine of a bundle: a graph that answers as the framework does takes its place, and else the report says why."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier.admission.report import ENGINE, Report
from classifier.admission.stages import export_onnx
from classifier.admission.stages.probe_images import drawn_and_real
from classifier.admission.stages.timing import milliseconds
from classifier.inference import bundle as bundles
from classifier.inference.classifier import GRAD_CAM, Answer, Classifier, load, run
from classifier.inference.graph.graph import GraphError
from classifier.inference.input.clinical import Clinical
from classifier.inference.maps.methods import HiResCam, Method

SAME = 1e-4  # of a probability, and of the largest value of the framework's own maps
FLOOR = 1e-8
EVERY = 3  # pictures: on each third one the maps of HiResCAM are compared
HIRES_CAM = HiResCam()
MOST = 1e9
UNKNOWN = Clinical()

Pixels = NDArray[np.uint8]


def offer(bundle: str) -> dict[str, Any]:
    """The third child's task: write `network.onnx` for a bundle that is proven, if it answers as the framework does."""
    report = Report()
    found = bundles.read(Path(bundle))
    native = load(found)
    graph = _graph(native, found, drawn_and_real(), report)
    return {"report": report.rows, "graph": graph}


def _graph(native: Classifier, found: bundles.Bundle, shown: Sequence[Pixels], report: Report) -> dict[str, Any] | None:
    """Return where the graph's features are, its differences and times; None where the framework stays the engine."""
    try:
        content, feature_layer, reason = export_onnx.export(native)
        described = None if feature_layer is None else feature_layer.to_json()
        other = load(dataclasses.replace(found, layer=native.layer, graph=bundles.Graph(content, described)))
        maps = feature_layer is not None
        answers = [(_answer(native, picture, maps), _answer(other, picture, maps)) for picture in shown]
        apart = _apart(native, other, shown, answers) if maps else 0.0
    except (GraphError, bundles.BundleError) as error:
        report.without_engine(str(error))
        return None
    except MemoryError:
        raise
    except Exception as error:  # ONNX Runtime raises kinds of its own for graphs that it cannot run
        report.without_engine(f"it cannot run the network: {' '.join(str(error).split())[:200]}")
        return None
    differs = float(np.max([np.abs(ours.probabilities - theirs.probabilities) for ours, theirs in answers]))
    if not differs <= SAME:
        report.without_engine(f"its answers differ from the framework's by up to {differs:.2g} ({SAME:g} is allowed)")
        return None
    if not apart <= SAME:
        reason, described = f"its maps differ by {apart:.2g} of their largest value", None
    times = {name: milliseconds(each, shown[:1]) for name, each in (("native_ms", native), ("engine_ms", other))}
    Path(bundles.GRAPH).write_bytes(content)
    report.passed("engine", _sentence(len(answers), differs, apart, times))
    if native.layer and described is None:
        report.warned("engine", f"maps are made by the framework itself: {reason}")
    return {"cut": described, "differs": differs, "maps_differ": apart if apart < MOST else MOST, **times}


def _answer(classifier: Classifier, picture: Pixels, maps: bool, method: Method = GRAD_CAM) -> Answer:
    return run(classifier, [picture], [UNKNOWN], maps=maps, method=method)


def _apart(
    native: Classifier, other: Classifier, shown: Sequence[Pixels], answers: Sequence[tuple[Answer, Answer]]
) -> float:
    """The largest difference of two maps, in shares of the largest value of the framework's own; NaN where one is.

    Grad-CAM looks at mean gradients alone, so HiResCAM, which shows each place's, is compared on some pictures too.
    """
    found = [_distance(ours, theirs) / _largest(ours) for ours, theirs in answers]
    for picture, (known, _theirs) in list(zip(shown, answers, strict=True))[::EVERY]:
        ours, theirs = (_answer(each, picture, maps=True, method=HIRES_CAM) for each in (native, other))
        found.append(_distance(ours, theirs) / np.maximum(_largest(known), _largest(ours)))
    return float(np.max(found))


def _distance(ours: Answer, theirs: Answer) -> Any:
    return np.inf if ours.maps is None or theirs.maps is None else np.abs(ours.maps - theirs.maps).max()


def _largest(answer: Answer) -> Any:
    return FLOOR / SAME + (0 if answer.maps is None else np.abs(answer.maps).max())


def _sentence(pictures: int, differs: float, maps: float, times: dict[str, float]) -> str:
    return (
        f"{ENGINE} answers as the framework does on {pictures} pictures: probabilities within "
        f"{max(differs, 1e-9):.1g}, maps within {max(maps, 1e-9):.1g} of their largest value; "
        f"{times['engine_ms']:.0f} ms for one picture against {times['native_ms']:.0f} ms"
    )
