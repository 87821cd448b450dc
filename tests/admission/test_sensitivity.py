"""How far answers move with the preprocessing: measured on a stand-in whose sensitivity is known."""

import io

import numpy as np
import pytest
from PIL import Image

from classifier.admission.stages import sensitivity
from classifier.admission.stages.probe_images import photograph, views
from classifier.inference.classifier import Classifier, Output
from tests.manifests import complete

INPUT = {"width": 64, "height": 64, "range": [0, 1]}


class Stripes(Classifier):
    """Two classes by the mean difference of neighbouring pixels: what antialiasing takes away."""

    layer = None
    bytes = 0

    def __init__(self, gain: float, **fields) -> None:
        data = {"framework": "keras", "classes": ["nv", "mel"], "output": "logits", "input": INPUT | fields}
        self.manifest = complete(**data)
        self.gain = gain

    def output(self, inputs, vectors, method=None):
        rough = np.abs(np.diff(inputs, axis=1)).mean(axis=(1, 2, 3))
        return Output(np.stack([np.zeros_like(rough), self.gain * rough], 1).astype(np.float32), None, 1.0, 0.0)


@pytest.fixture(scope="module")
def jpeg() -> bytes:
    pixels = np.random.default_rng(1).integers(0, 256, (400, 480, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=80)
    return file.getvalue()


def sensitivities(loaded: Classifier, jpeg: bytes) -> dict[str, float]:
    return {row.what: row.largest for row in sensitivity.measure(loaded, jpeg)[0]}


def test_a_model_that_lives_on_fine_detail_is_moved_by_the_resize(jpeg) -> None:
    moved = sensitivities(Stripes(40), jpeg)
    assert moved["resized without antialiasing"] > 0.2
    assert 0 < moved[sensitivity.FAST_DECODER] < moved["resized without antialiasing"]


def test_a_model_that_looks_at_nothing_is_not_moved(jpeg) -> None:
    found, rows = sensitivity.measure(Stripes(0), jpeg)
    assert {row.largest for row in found} == {0.0}
    assert {row.changed for row in found} == {0}
    assert rows.shape == (6, 2)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"antialias": False}, "resized with antialiasing"),
        ({"interpolation": "bicubic"}, "resized without antialiasing"),
        ({"interpolation": "area"}, "resized bilinear in place of area"),
    ],
)
def test_the_change_is_from_what_the_model_declares(fields, words) -> None:
    assert sensitivity.other_resize(Stripes(0, **fields).manifest.input)[0] == words


def test_the_packaged_photograph_is_whole_and_cut_closer_and_mirrored() -> None:
    jpeg = photograph()
    assert jpeg is not None
    sizes = [view.shape[:2] for view in views(jpeg)]
    assert sizes[::2] == sizes[1::2] == [(1360, 1528), (1020, 1146), (680, 764)]


def fast_by_tensorflow(jpeg: bytes) -> np.ndarray:
    import tensorflow as tf

    return tf.io.decode_jpeg(jpeg, channels=3, dct_method="INTEGER_FAST", fancy_upscaling=False).numpy()


def test_the_fast_decoder_is_tensorflows(in_keras, jpeg) -> None:
    assert np.array_equal(views(jpeg, fast=True)[0], in_keras(fast_by_tensorflow, jpeg))
    assert not np.array_equal(views(jpeg, fast=True)[0], views(jpeg)[0])
