"""The fast lane at admission: how far it is from the framework on the same pictures, and what it takes."""

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier.admission.outcome import Report
from classifier.admission.timing import milliseconds
from classifier.inference.bundle import Bundle
from classifier.inference.classifier import MODULES, Answer, Classifier, run
from classifier.inference.clinical import Clinical
from classifier.inference.engines import BF16, FAST

EIGHT = 8

Pixels = NDArray[np.uint8]


def measured(
    found: Bundle,
    exact: Classifier,
    shown: Sequence[Pixels],
    answers: Sequence[Answer],
    report: Report,
    precision: str = BF16,
) -> dict[str, Any] | None:
    """Return the facts of schemas.FAST, or None where the lane cannot be offered: the report says which, and why.

    `answers` are the framework's, one for each picture of `shown`; `exact` is the engine that the lane stands beside.
    Nothing that OpenVINO does here costs more than the lane.
    """
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
    known = np.concatenate([answer.probabilities for answer in answers])
    several = [shown[place % len(shown)] for place in range(EIGHT)]
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
