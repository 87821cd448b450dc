"""Resizing equals the framework's own, and a grid knows which part of the picture it covers."""

import numpy as np
import pytest
from PIL import Image

from classifier.inference.input.manifest import InputSpec
from classifier.inference.input.preprocess import network_input, region, resize

SPEC = InputSpec(
    width=64,
    height=64,
    resize="stretch",
    interpolation="bilinear",
    antialias=True,
    color="rgb",
    range=(0, 1),
    mean=(0, 0, 0),
    std=(1, 1, 1),
    clinical="none",
)
SIZES = [(45, 60, 31, 33), (450, 600, 254, 254), (30, 40, 64, 96), (33, 77, 33, 77)]


def pixels(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def tensorflow_differences() -> dict[str, float]:
    import tensorflow as tf

    names = {"bilinear": "bilinear", "bicubic": "bicubic", "nearest": "nearest", "lanczos": "lanczos3"}
    worst: dict[str, float] = {}
    for ours, theirs in names.items():
        for height, width, to_height, to_width in SIZES:
            given = pixels(height, width)
            expected = tf.image.resize(given, (to_height, to_width), method=theirs).numpy()
            found = resize(given, to_width, to_height, ours, antialias=False)
            worst[ours] = max(worst.get(ours, 0.0), float(np.abs(found - expected).max()))
    return worst


def test_without_antialias_it_is_tf_image_resize(in_keras):
    worst = in_keras(tensorflow_differences)
    assert max(worst.values()) <= 0.05, worst


def torchvision_difference() -> float:
    import torch
    from torchvision.transforms import v2

    given = pixels(450, 600)
    expected = v2.functional.resize(torch.from_numpy(given).permute(2, 0, 1), [224, 224], antialias=True)
    found = resize(given, 224, 224, "bilinear", antialias=True)
    return float(np.abs(found - expected.permute(1, 2, 0).numpy()).max())


def test_with_antialias_it_is_torchvisions_to_a_level(in_torch):
    assert in_torch(torchvision_difference) <= 1


@pytest.mark.parametrize("name", ["nearest", "bilinear", "bicubic", "lanczos", "area"])
def test_with_antialias_it_is_pillows(name):
    given = pixels(90, 120)
    filters = {"area": Image.Resampling.BOX}
    expected = Image.fromarray(given).resize((50, 40), filters.get(name, getattr(Image.Resampling, name.upper(), None)))
    assert np.array_equal(resize(given, 50, 40, name, antialias=True), np.asarray(expected).astype(np.float32))


def test_range_mean_and_std_are_applied_in_this_order():
    spec = SPEC.but(range=(-1, 1), mean=(0.5, 0.25, 0.0), std=(0.5, 1.0, 2.0))
    white = network_input(np.full((64, 64, 3), 255, np.uint8), spec)
    assert np.allclose(white[0, 0], [(1 - 0.5) / 0.5, 0.75, 0.5])


def test_bgr_turns_the_channels():
    red = np.zeros((64, 64, 3), np.uint8)
    red[..., 0] = 255
    assert np.allclose(network_input(red, SPEC.but(color="bgr"))[0, 0], [0, 0, 1])


@pytest.mark.parametrize("rule", ["stretch", "letterbox", "crop"])
def test_the_region_leads_from_the_grid_back_to_the_picture(rule):
    given = np.zeros((120, 200, 3), np.uint8)
    given[60:72, 100:112] = 255
    spec = SPEC.but(resize=rule)
    left, top, right, bottom = region(spec, 120, 200)
    rows, columns = np.nonzero(network_input(given, spec)[..., 0] > 0.5)
    x = left + (columns.mean() + 0.5) / 64 * (right - left)
    y = top + (rows.mean() + 0.5) / 64 * (bottom - top)
    assert (x, y) == (pytest.approx(106, abs=2.5), pytest.approx(66, abs=2.5))


def test_a_letterbox_pads_and_a_crop_cuts():
    white = np.full((100, 200, 3), 255, np.uint8)
    boxed = network_input(white, SPEC.but(resize="letterbox"))
    assert boxed[:15].max() == 0
    assert boxed[20:44].min() == 1
    assert network_input(white, SPEC.but(resize="crop")).min() == 1
    assert region(SPEC.but(resize="letterbox"), 100, 200) == (0, -50, 200, 150)
    assert region(SPEC.but(resize="crop"), 100, 200) == (50, 0, 150, 100)
