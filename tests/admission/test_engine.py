"""The engine of a bundle is compared with the framework's answers before it may take their place."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from classifier.admission.report import Report
from classifier.admission.stages import onnx_engine
from classifier.admission.stages.probe_images import pictures
from classifier.inference import bundle as bundles
from classifier.inference.classifier import load
from tests.factories.spot_networks import feature_layer, graph, write_bundle


def compared(monkeypatch: pytest.MonkeyPatch, folder: Path, *, exported: bytes) -> tuple[Any, Report]:
    """Let a network with a graph of its own stand for the framework, and another graph for what is exported."""
    write_bundle(folder)
    monkeypatch.chdir(folder)
    monkeypatch.setattr(onnx_engine.export_onnx, "export", lambda _native: (exported, feature_layer(), ""))
    report, found = Report(), bundles.read(folder)
    return onnx_engine._graph(load(found), found, pictures(), report), report


def test_an_engine_that_answers_as_the_framework_does_is_taken(monkeypatch, tmp_path):
    taken, report = compared(monkeypatch, tmp_path, exported=graph(sees_darkness=True))
    assert taken is not None
    assert taken["differs"] <= onnx_engine.SAME
    assert report.rows[-1]["passed"]


def test_an_engine_that_answers_otherwise_is_not_taken_and_the_report_says_why(monkeypatch, tmp_path):
    taken, report = compared(monkeypatch, tmp_path, exported=graph(sees_darkness=False))
    assert taken is None
    (row,) = report.rows
    assert (row["check"], row["passed"]) == ("engine", False)
    assert "its answers differ from the framework's by up to" in row["detail"]


def test_an_engine_that_cannot_run_the_network_is_not_taken(monkeypatch, tmp_path):
    taken, report = compared(monkeypatch, tmp_path, exported=b"no graph")
    assert taken is None
    assert "the framework itself answers" in report.rows[-1]["detail"]


@pytest.mark.parametrize("field", ["probabilities", "maps"])
def test_an_engine_that_answers_no_numbers_to_a_later_picture_is_not_believed(monkeypatch, tmp_path, field):
    asked, run = [], onnx_engine.run

    def later(classifier: Any, shown: Any, *given: Any, **more: Any) -> Any:
        answer = run(classifier, shown, *given, **more)
        asked.append(classifier)
        if len(asked) <= 2 or classifier is asked[0] or getattr(answer, field) is None:
            return answer
        return dataclasses.replace(answer, **{field: np.full_like(getattr(answer, field), np.nan)})

    monkeypatch.setattr(onnx_engine, "run", later)
    taken, report = compared(monkeypatch, tmp_path, exported=graph(sees_darkness=True))
    if field == "probabilities":
        assert taken is None
        assert "its answers differ" in report.rows[-1]["detail"]
    else:
        assert taken is not None
        assert taken["cut"] is None
        assert "maps are made by the framework itself" in report.rows[-1]["detail"]
