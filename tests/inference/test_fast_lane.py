"""The fast lane: the same graph by OpenVINO, exactly in f32, and in bf16 where the processor has it."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from classifier.inference.bundle import Bundle, BundleError, Graph
from classifier.inference.classifier import load
from classifier.inference.engines import FAST, ONNX, EngineError, has_bf16, in_words, reads_bf16, require
from classifier.inference.openvino_network import OpenVinoClassifier
from tests.factories import SEVEN
from tests.manifests import complete
from tests.small_bundles import FAST as MEASURED
from tests.small_bundles import SIDE, graph

ROOT = Path(__file__).parents[2]
INTEL = "model name\t: Xeon\nflags\t\t: fpu avx512f avx512_bf16 amx_tile\nmodel name\t: Xeon"
AMD = "model name\t: EPYC with amx_bf16 in its name\nflags\t\t: fpu avx2"


@pytest.fixture
def bundle() -> Bundle:
    given = {"framework": "torch", "classes": list(SEVEN), "input": {"width": SIDE, "height": SIDE}, "output": "logits"}
    content, cut = graph()
    return Bundle(Path(), complete(**given), {}, "conv", "", {}, Graph(content, cut, MEASURED))


@pytest.fixture
def pictures() -> np.ndarray:
    return np.random.default_rng(1).normal(size=(8, SIDE, SIDE, 3)).astype(np.float32)


@pytest.mark.parametrize(
    ("text", "has"), [(INTEL, True), (INTEL.replace("avx512_bf16", "amx_bf16"), True), (AMD, False)]
)
def test_bf16_is_read_from_the_processors_flags_alone(text, has):
    assert reads_bf16(text.splitlines()) is has


@pytest.mark.parametrize("number", [1, 8])
def test_in_f32_it_answers_as_onnx_runtime(bundle, pictures, number):
    exact, lane = load(bundle), OpenVinoClassifier(bundle, precision="f32")
    assert exact.engine == ONNX
    ours, theirs = (each.predict(pictures[:number]) for each in (lane, exact))
    assert np.abs(ours.probabilities - theirs.probabilities).max() < 1e-4
    assert np.abs(ours.logits - theirs.logits).max() < 1e-4


def test_it_draws_no_maps(bundle, pictures):
    lane = OpenVinoClassifier(bundle, precision="f32")
    assert (lane.layer, lane.predict(pictures[:1], maps=True).maps) == (None, None)
    assert load(bundle).predict(pictures[:1], maps=True).maps is not None


@pytest.mark.skipif(has_bf16(), reason="this processor has bf16")
def test_without_bf16_it_refuses_and_never_computes_in_another_precision(bundle):
    with pytest.raises(EngineError, match="no bf16"):
        require(FAST)
    with pytest.raises(EngineError, match="f32 on this processor, where bf16 was asked for"):
        OpenVinoClassifier(bundle)
    require(ONNX)


@pytest.mark.skipif(not has_bf16(), reason="this processor has no bf16: avx512_bf16 or amx_bf16")
def test_in_bf16_it_is_near_and_not_exact(bundle, pictures):
    require(FAST)
    lane, exact = load(bundle, FAST), load(bundle)
    differs = np.abs(lane.predict(pictures).probabilities - exact.predict(pictures).probabilities).max()
    assert (lane.engine, lane.device) == (FAST, "cpu")
    assert 0 < differs < 0.1


def test_a_bundle_whose_lane_was_not_measured_is_not_loaded_into_it(bundle, fast_lane):
    assert load(bundle, FAST).engine == FAST
    unmeasured = dataclasses.replace(bundle.graph, fast=None)
    with pytest.raises(EngineError, match="did not measure"):
        load(dataclasses.replace(bundle, graph=unmeasured), FAST)
    with pytest.raises(BundleError, match="no graph"):
        load(dataclasses.replace(bundle, graph=None), FAST)


def test_telemetry_that_is_installed_is_not_imported(tmp_path):
    """OpenVINO would tell it of the import, and it would tell its makers."""
    package = tmp_path / "openvino_telemetry"
    package.mkdir()
    (package / "__init__.py").write_text("raise SystemExit('it was imported')")
    program = "from classifier.inference import openvino_network as n; print(n._openvino().__name__)"
    run = [sys.executable, "-c", program]
    environment = {"PYTHONPATH": f"{tmp_path}:{ROOT}", "PATH": "/usr/bin"}
    done = subprocess.run(run, env=environment, cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "openvino\n"), done.stderr
    bare = subprocess.run([sys.executable, "-c", "import openvino"], env=environment, capture_output=True, text=True)
    assert "it was imported" in bare.stderr


def test_only_the_lane_has_words_for_a_result():
    assert in_words(FAST) == "OpenVINO, bf16: faster, less exact"
    assert in_words(ONNX) == ONNX
