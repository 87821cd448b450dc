"""The GPU setting: what is not there is said at the start, and nothing is quietly computed elsewhere."""

import logging

import pytest
from django.core.management import CommandError, call_command

from classifier import tasks
from classifier.inference import devices, engines
from classifier.inference.networks import onnx
from classifier.services.predictions import warm_up
from classifier.services.predictions.predict import load_classifier
from skinsite.jobs import Failure
from tests.factories.bundles import graph, small_model

NO_PROVIDER = "ONNX Runtime has no CUDA provider: install onnxruntime-gpu in place of onnxruntime"


@pytest.fixture
def cuda(settings, monkeypatch):
    """The setting, on a machine without such a device."""
    settings.SKINSITE_DEVICE = "cuda"
    monkeypatch.setattr(devices, "missing", lambda: NO_PROVIDER)
    monkeypatch.setattr(devices, "_chosen", "cpu")


def test_the_portal_does_not_start(cuda):
    with pytest.raises(CommandError, match=f"SKINSITE_DEVICE is cuda, and {NO_PROVIDER}. Set SKINSITE_DEVICE to cpu"):
        call_command("portal")


def test_a_worker_says_so_and_is_never_ready(cuda, monkeypatch, caplog):
    monkeypatch.setenv("SKINSITE_FRAMEWORK", "torch")
    warm_up.clear_ready_marks()
    with caplog.at_level(logging.CRITICAL):
        tasks.prepare()
    assert f"This worker answers nothing: SKINSITE_DEVICE is cuda, and {NO_PROVIDER}" in caplog.text
    assert not warm_up.ready_mark("torch").exists()


@pytest.mark.django_db
def test_a_prediction_fails_with_the_reason(cuda):
    with pytest.raises(Failure, match="engine-missing") as failure:
        load_classifier(small_model())
    assert NO_PROVIDER in failure.value.message
    assert failure.value.hint == devices.ADVICE


@pytest.mark.filterwarnings("ignore:Specified provider")
def test_a_session_that_fell_back_to_the_processor_is_not_used(monkeypatch):
    """ONNX Runtime answers on the CPU where it cannot start the provider that was asked for."""
    monkeypatch.setattr(devices, "_chosen", "cuda")
    with pytest.raises(engines.EngineError, match="could not start it"):
        onnx.session(graph()[0])


@pytest.mark.skipif(not devices.missing(), reason="this machine has a CUDA device")
def test_what_is_missing_is_named():
    assert "CUDA" in devices.missing()
    with pytest.raises(engines.EngineError, match="SKINSITE_DEVICE is cuda, and "):
        devices.use("cuda")
    assert devices.chosen() == "cpu"
