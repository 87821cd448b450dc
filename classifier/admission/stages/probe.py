"""The second child's task: load a bundle as a worker will, and see that it answers as the framework's own model did."""

import re
import resource
import time
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier.admission.refusal import Refusal, RefusalCode
from classifier.admission.report import Report, answered
from classifier.admission.stages import sensitivity
from classifier.admission.stages.probe_images import photograph, pictures
from classifier.inference import bundle as bundle_files
from classifier.inference.classifier import MODULES, Classifier, load, run
from classifier.inference.input.clinical import Clinical

TOLERANCE = 1e-4
SUM_TOLERANCE = 1e-5
SENSITIVITY = 1e-6
TIMED_RUNS = 5
MOST_LAYERS = 8
RETRAIN = "Look at the weights in your own framework: does it answer for a picture there?"

OURS = "Tell the operator: the file itself may be good."
UNKNOWN = Clinical()
UNNAMED = re.compile(r"other_\d+")

Rows = NDArray[np.floating[Any]]


def probe(bundle: str, expected: list[list[float]]) -> dict[str, Any]:
    """Answer for the bundle's folder; `expected` are the framework's own probabilities on the same pictures."""
    return answered(lambda report: _probe(Path(bundle), np.array(expected), report))


def _probe(folder: Path, expected: Rows, report: Report) -> dict[str, Any]:
    loaded, load_ms = _load(folder, report)
    before = _peak_bytes()
    rows = _answers(loaded)
    check_finite(rows)
    report.passed("finite", f"{len(rows)} pictures, every probability is a number")
    _check_sums(rows, report)
    layer = _note_layer(loaded, report)
    _check_sensitivity(loaded, rows, report)
    _check_repeats(rows, _answers(loaded), report)
    _check_same_as_framework(rows, expected, report)
    _note_clinical(loaded, rows, report)
    measured = _cost(loaded, load_ms, before, report)
    if (jpeg := photograph()) is None:
        report.warned("plumbing", "not measured: the sample photograph of the package dermapred is not installed")
        return {"layer": layer, "measured": measured}
    sensitivities, real = sensitivity.measure(loaded, jpeg)
    measured["plumbing"] = [found.to_json() for found in sensitivities]
    for found in sensitivities:
        report.passed("plumbing", _sentence(found))
    measured |= _note_unnamed(loaded, real, report)
    return {"layer": layer, "measured": measured}


def check_finite(rows: Rows) -> None:
    """Raises Refusal unless every number of (n, classes) rows is one."""
    if not np.isfinite(rows).all():
        bad = int((~np.isfinite(rows)).any(axis=1).sum())
        message = f"The classes' probabilities are NaN (not a number) for {bad} of {len(rows)} pictures."
        hint = "The weights hold NaN or infinite values, often after a diverged training: save an earlier epoch."
        raise Refusal(RefusalCode.NOT_FINITE, message, hint)


def _load(folder: Path, report: Report) -> tuple[Classifier, float]:
    try:
        found = bundle_files.read(folder)
        import_module(MODULES[found.framework])
        began = time.perf_counter()
        loaded = load(found)
    except MemoryError:
        raise
    except Exception as error:
        message = f"The converted model cannot be loaded again: {' '.join(str(error).split())[:300]}"
        raise Refusal(RefusalCode.BUNDLE_DOES_NOT_LOAD, message, OURS) from error
    milliseconds = (time.perf_counter() - began) * 1000
    report.passed(
        "load", f"the bundle loads in {loaded.manifest.framework}, about {loaded.bytes / 1e6:,.1f} MB of memory"
    )
    return loaded, milliseconds


def _answers(loaded: Classifier, details: Clinical = UNKNOWN) -> Rows:
    rows = [run(loaded, [picture], [details], maps=False).probabilities[0] for picture in pictures()]
    return np.array(rows)


def _check_sums(rows: Rows, report: Report) -> None:
    worst = float(np.abs(rows.sum(axis=1) - 1).max())
    if worst > SUM_TOLERANCE:
        message = f"The probabilities of a picture sum to 1 ± {worst:.2g}."
        raise Refusal(RefusalCode.SUMS, message, "Say in the manifest's “output” what the model ends with.")
    report.passed("sum", "the probabilities of each picture sum to 1")


def _check_sensitivity(loaded: Classifier, rows: Rows, report: Report) -> None:
    """Refuse a network that no picture moves; an untrained deep one moves by less than its numbers can show.

    What moves is then still seen in the signed maps, before the rounding of the last sum.
    """
    spread = float((rows.max(axis=0) - rows.min(axis=0)).max())
    if spread < SENSITIVITY:
        message = f"The model gives the same answer for {len(rows)} very different pictures (within {spread:.1g})"
        if not _maps_differ(loaded):
            raise Refusal(RefusalCode.SAME_ANSWER, f"{message}.", RETRAIN)
        report.warned("sensitivity", f"{message}: its weights look untrained")
        return
    report.passed("sensitivity", f"different pictures differ by up to {spread:.3f} in one probability")


def _maps_differ(loaded: Classifier) -> bool:
    maps = [run(loaded, [picture], [UNKNOWN], maps=True).maps for picture in pictures()[:2]]
    return maps[0] is not None and maps[1] is not None and not np.array_equal(maps[0], maps[1])


def _check_repeats(first: Rows, second: Rows, report: Report) -> None:
    difference = float(np.abs(first - second).max())
    if difference > 0:
        message = f"The same picture gives another answer the second time (by up to {difference:.2g})."
        raise Refusal(RefusalCode.NOT_DETERMINISTIC, message, RETRAIN)
    report.passed("repeat", "the same picture gives the same answer twice")


def _check_same_as_framework(rows: Rows, expected: Rows, report: Report) -> None:
    difference = float(np.abs(rows - expected).max()) if rows.shape == expected.shape else float("inf")
    if difference > TOLERANCE:
        message = f"The converted model differs from the file by up to {difference:.2g} ({TOLERANCE:g} is allowed)."
        raise Refusal(RefusalCode.CONVERSION_DIFFERS, message, OURS)
    report.passed("same", f"it answers as the file's own model does, within {max(difference, 1e-9):.1g}")


def _note_clinical(loaded: Classifier, rows: Rows, report: Report) -> None:
    if loaded.manifest.input.clinical == "none":
        return
    informed = _answers(loaded, Clinical(age=80.0, sex="female", site="back"))
    difference = float(np.abs(informed - rows).max())
    report.passed("clinical", f"age, sex and site move a probability by up to {difference:.3f}")


def _note_layer(loaded: Classifier, report: Report) -> str:
    """A model without a layer that keeps the picture's geometry is taken; it only has no heat maps."""
    wanted = loaded.manifest.layer
    if wanted and loaded.layer != wanted:
        last = ", ".join(loaded.layers[-MOST_LAYERS:]) or "none"
        message = f"The network has no layer “{wanted}” that keeps the picture's geometry."
        raise Refusal(RefusalCode.NO_SUCH_LAYER, message, f"Its last layers that do are: {last}. Correct “layer”.")
    if loaded.layer is None:
        report.passed("layer", "no spatial layer: there will be no heat maps")
        return ""
    try:
        maps = run(loaded, pictures()[:1], [UNKNOWN], maps=True).maps
    except MemoryError:
        raise
    except Exception as error:  # frameworks raise kinds of their own; the predictions are good all the same
        words = " ".join(str(error).split())[:200] or type(error).__name__
        report.warned("layer", f"there will be no heat maps: making one at the layer “{loaded.layer}” fails: {words}")
        loaded.layer = None
        return ""
    if maps is None:
        report.passed("layer", "no spatial layer: there will be no heat maps")
        return ""
    check_finite(maps.reshape(1, -1))
    report.passed("layer", f"heat maps of {maps.shape[2]} by {maps.shape[3]} at the layer “{loaded.layer}”")
    return loaded.layer


def _cost(loaded: Classifier, load_ms: float, before: int, report: Report) -> dict[str, Any]:
    """Milliseconds and bytes of predictions; `before` are the bytes of this process once the model was loaded."""
    times = [run(loaded, pictures()[:1], [UNKNOWN], maps=False).predict_ms for _run in range(TIMED_RUNS)]
    milliseconds, process = float(np.median(times)), _peak_bytes()
    more = process - before
    report.passed("speed", f"{milliseconds:.0f} ms for one picture (median of {TIMED_RUNS}), {load_ms:.0f} ms to load")
    words = f"a process with the model has at most {process / 1e6:,.0f} MB"
    report.passed("memory", f"{words}, {more / 1e6:,.0f} MB of it for predictions" if round(more / 1e6) > 0 else words)
    return {
        "predict_ms": round(milliseconds, 1),
        "load_ms": round(load_ms),
        "process_bytes": process,
        "predict_bytes": more,
    }


def _peak_bytes() -> int:
    """The memory of this process at its height; in isolation there is no /proc to ask."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _sentence(found: sensitivity.Sensitivity) -> str:
    turned = f"another class wins in {found.changed}" if found.changed else "the same class wins in all"
    return (
        f"{found.what}: a probability moves by up to {found.largest:.3f} on {found.pictures} views of a "
        f"photograph, {turned}"
    )


def _note_unnamed(loaded: Classifier, rows: Rows, report: Report) -> dict[str, Any]:
    """What the outputs without a name take of the probability, on the photograph's views."""
    places = [place for place, code in enumerate(loaded.manifest.codes) if UNNAMED.fullmatch(code)]
    if not places:
        return {}
    mass = rows[:, places].sum(axis=1)
    mean, largest = float(mass.mean()), float(mass.max())
    report.passed(
        "unnamed", f"{len(places)} outputs without a name take {mean:.3f} of a picture, at most {largest:.3f}"
    )
    return {"unnamed": {"outputs": len(places), "mean": round(mean, 6), "largest": round(largest, 6)}}
