"""The fast lane at admission: measured in the fourth child where there is bf16, and never a reason to refuse."""

import json
from pathlib import Path
from typing import Any

import pytest

from classifier.admission import admit as admission
from classifier.admission.report import AdmissionResult, Check
from classifier.inference import engines
from classifier.inference.bundle import DESCRIPTION
from tests.admission import lane, uploads
from tests.conftest import InProcess

MANIFEST = {"classes": ["nv", "mel", "bkl"], "input": {"width": 16, "height": 16}, "output": "logits"}
CHAIN = [
    {"type": "conv2d", "name": "conv1", "out": 8, "kernel": 3, "padding": 1},
    {"type": "flatten"},
    {"type": "linear", "name": "fc1", "out": 3},
]


@pytest.fixture
def admitted(in_torch: InProcess, tmp_path: Path, monkeypatch: Any) -> Any:
    """Admit a small network on a processor with or without bf16, with another task for the fourth child."""

    def run(*, bf16: bool, task: str = admission.LANE) -> AdmissionResult:
        upload = tmp_path / "model.pth"
        in_torch(uploads.save_state_dict, upload)
        monkeypatch.setattr(engines, "has_bf16", lambda: bf16)
        monkeypatch.setattr(admission, "LANE", task)
        manifest = MANIFEST | {"architecture": {"family": "layers", "layers": CHAIN}}
        result = admission.admit(upload=upload, manifest=manifest, into=tmp_path / "bundles", time_limit_s=300)
        assert result.accepted, result.error
        assert result.engine == "onnxruntime"
        return result

    return run


def rows(result: AdmissionResult) -> list[Check]:
    return [check for check in result.report if check.check == "fast-lane"]


def in_bundle(result: AdmissionResult) -> Any:
    assert result.bundle is not None
    return json.loads((result.bundle / DESCRIPTION).read_bytes())["graph"].get("fast")


def test_it_is_measured_behind_the_walls_and_kept_with_the_graph(admitted: Any) -> None:
    result = admitted(bf16=True, task=lane.IN_F32)
    (row,) = rows(result)
    assert row.passed, row.detail
    assert "differs from the framework by up to" in row.detail
    assert "on 12 pictures, the same class wins in all" in row.detail
    facts = result.measured["graph"]["fast"]
    assert facts["differs"] < 1e-4
    assert (facts["changed"], facts["pictures"]) == (0, 12)
    assert min(facts[name] for name in ("one_ms", "eight_ms", "exact_eight_ms")) > 0
    assert in_bundle(result) == facts


def test_where_the_processor_has_no_bf16_nothing_is_said(admitted: Any) -> None:
    result = admitted(bf16=False)
    assert rows(result) == []
    assert "fast" not in result.measured["graph"]
    assert in_bundle(result) is None


def test_a_lane_that_ends_the_child_costs_the_lane_only(admitted: Any) -> None:
    result = admitted(bf16=True, task=lane.DIES)
    (row,) = rows(result)
    assert not row.passed
    assert row.detail.startswith("OpenVINO in bf16 is not offered: The program")
    assert in_bundle(result) is None


@pytest.mark.skipif(engines.has_bf16(), reason="this processor has bf16")
def test_a_lane_that_cannot_compute_is_a_line_of_the_report(admitted: Any) -> None:
    """Here OpenVINO itself refuses: the processor is said to have what it has not."""
    (row,) = rows(admitted(bf16=True))
    assert not row.passed
    assert "computes in f32 on this processor, where bf16 was asked for" in row.detail


@pytest.mark.skipif(not engines.has_bf16(), reason="this processor has no bf16: avx512_bf16 or amx_bf16")
def test_it_is_measured_in_bf16(admitted: Any) -> None:
    result = admitted(bf16=True)
    (row,) = rows(result)
    assert row.passed, row.detail
    assert 0 < result.measured["graph"]["fast"]["differs"] < 0.1
