"""The engine of a bundle: a graph that answers as the framework does takes its place, and else the report says why."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier.admission.outcome import ENGINE, Report
from classifier.admission.pictures import drawn_and_real
from classifier.admission.timing import milliseconds
from classifier.inference import bundle as bundles
from classifier.inference import exporting
from classifier.inference.classifier import Answer, Classifier, load, run
from classifier.inference.clinical import Clinical
from classifier.inference.graphs import GraphError

SAME = 1e-4  # of a probability, and of the largest value of the framework's own maps
FLOOR = 1e-8
MOST = 1e9
UNKNOWN = Clinical()

Pixels = NDArray[np.uint8]


def offer(bundle: str) -> dict[str, Any]:
    """The third child's task: write `network.onnx` for a bundle that is proven, if it answers as the framework does.

    With what is known of it go the framework's `answers`, for whoever compares another engine.
    """
    report = Report()
    found = bundles.read(Path(bundle))
    native = load(found)
    graph, answers = _graph(native, found, drawn_and_real(), report)
    return {"report": report.rows, "graph": graph, "answers": answers}


def _graph(
    native: Classifier, found: bundles.Bundle, shown: Sequence[Pixels], report: Report
) -> tuple[dict[str, Any] | None, list[list[float]]]:
    """Return where the graph's features are, its differences and times, and the framework's probabilities.

    None and no answers where the framework stays the engine.
    """
    try:
        content, cut, reason = exporting.export(native)
        described = None if cut is None else cut.to_json()
        other = load(dataclasses.replace(found, layer=native.layer, graph=bundles.Graph(content, described)))
        maps = cut is not None
        answers = [(_answer(native, picture, maps), _answer(other, picture, maps)) for picture in shown]
    except (GraphError, bundles.BundleError) as error:
        report.without_engine(str(error))
        return None, []
    except MemoryError:
        raise
    except Exception as error:  # ONNX Runtime raises kinds of its own for graphs that it cannot run
        report.without_engine(f"it cannot run the network: {' '.join(str(error).split())[:200]}")
        return None, []
    differs = max(float(np.abs(ours.probabilities - theirs.probabilities).max()) for ours, theirs in answers)
    if not differs <= SAME:
        report.without_engine(f"its answers differ from the framework's by up to {differs:.2g} ({SAME:g} is allowed)")
        return None, []
    apart = max(_apart(ours.maps, theirs.maps) for ours, theirs in answers)
    if not apart <= SAME:
        reason, described = f"its maps differ by {apart:.2g} of their largest value", None
    times = {name: milliseconds(each, shown[:1]) for name, each in (("native_ms", native), ("engine_ms", other))}
    Path(bundles.GRAPH).write_bytes(content)
    report.passed("engine", _sentence(len(answers), differs, apart, times))
    if native.layer and described is None:
        report.warned("engine", f"maps are made by the framework itself: {reason}")
    graph = {"cut": described, "differs": differs, "maps_differ": min(apart, MOST), **times}
    return graph, [ours.probabilities[0].tolist() for ours, _theirs in answers]


def _answer(classifier: Classifier, picture: Pixels, maps: bool) -> Answer:
    return run(classifier, [picture], [UNKNOWN], maps=maps)


def _apart(ours: Any, theirs: Any) -> float:
    """The largest difference of two maps, in shares of the largest value of the first."""
    if ours is None or theirs is None:
        return 0.0
    return float(np.abs(ours - theirs).max() / (np.abs(ours).max() + FLOOR / SAME))


def _sentence(pictures: int, differs: float, maps: float, times: dict[str, float]) -> str:
    return (
        f"{ENGINE} answers as the framework does on {pictures} pictures: probabilities within "
        f"{max(differs, 1e-9):.1g}, maps within {max(maps, 1e-9):.1g} of their largest value; "
        f"{times['engine_ms']:.0f} ms for one picture against {times['native_ms']:.0f} ms"
    )
