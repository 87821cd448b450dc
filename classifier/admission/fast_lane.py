"""The fast lane at admission: how far it is from the framework on the same pictures, and what it takes."""

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier.admission.report import Report
from classifier.admission.stages.probe_images import drawn_and_real
from classifier.admission.stages.timing import milliseconds
from classifier.inference import bundle as bundles
from classifier.inference.classifier import MODULES, load, run
from classifier.inference.engines import BF16, FAST, ONNX
from classifier.inference.input.clinical import Clinical

EIGHT = 8


def measure(bundle: str, expected: list[list[float]], precision: str = BF16) -> dict[str, Any]:
    """The fourth child's task, where the processor has bf16: set the lane of a bundle's graph beside fp32.

    `expected` are the framework's probabilities on the pictures of the third child. `fast` are the facts of
    schemas.FAST, or None where the lane cannot be offered: the report says which, and why.
    """
    report = Report()
    return {"fast": _facts(bundles.read(Path(bundle)), np.array(expected), report, precision), "report": report.rows}


def _facts(found: bundles.Bundle, known: NDArray[np.float64], report: Report, precision: str) -> dict[str, Any] | None:
    shown = drawn_and_real()
    try:
        lane = import_module(MODULES[FAST]).OpenVinoClassifier(found, precision)
        rows = np.concatenate([run(lane, [picture], [Clinical()]).probabilities for picture in shown])
    except MemoryError:
        raise
    except Exception as error:  # OpenVINO raises RuntimeError for whatever it cannot do
        _not_offered(report, f"it cannot run the network: {' '.join(str(error).split())[:200]}")
        return None
    if not np.isfinite(rows).all():
        _not_offered(report, "its probabilities are no numbers on some picture")
        return None
    exact, several = load(found, ONNX), [shown[place % len(shown)] for place in range(EIGHT)]
    facts = {
        "differs": float(np.abs(rows - known).max()),
        "changed": int((rows.argmax(axis=1) != known.argmax(axis=1)).sum()),
        "pictures": len(rows),
        "one_ms": milliseconds(lane, shown[:1]),
        "eight_ms": milliseconds(lane, several),
        "exact_eight_ms": milliseconds(exact, several),
    }
    report.passed("fast-lane", _sentence(facts, milliseconds(exact, shown[:1])))
    return facts


def _not_offered(report: Report, reason: str) -> None:
    report.warned("fast-lane", f"OpenVINO in bf16 is not offered: {reason}")


def _sentence(facts: dict[str, Any], exact_ms: float) -> str:
    changed = f"another class wins in {facts['changed']}" if facts["changed"] else "the same class wins in all"
    return (
        f"OpenVINO in bf16 differs from the framework by up to {facts['differs']:.2g} in a probability on "
        f"{facts['pictures']} pictures, {changed}; {facts['one_ms']:.0f} ms for one picture and "
        f"{facts['eight_ms']:.0f} ms for eight, against {exact_ms:.0f} and {facts['exact_eight_ms']:.0f} ms in fp32. "
        "It answers only where an administrator chooses it"
    )
