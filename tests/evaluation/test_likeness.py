"""Near-duplicates: candidates by hash, the truth by correlation."""

import io
import random

import numpy as np
import pytest
from PIL import Image, ImageEnhance
from scipy.fft import dctn

from evaluation.intake.near_duplicates import NEAR, SAME, correlation, near_pairs, perceptual_hash
from evaluation.phantoms import draw

SHIFT = 12


@pytest.fixture(scope="module")
def pictures() -> list[Image.Image]:
    """Twelve drawn lesions, no lesion twice."""
    return [Image.fromarray(phantom.pixels) for phantom in draw(images=12, lesions=12, size=(256, 192), seed=3)]


def recompressed(image: Image.Image, quality: int = 70) -> Image.Image:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return Image.open(file).convert("RGB")


def hashed(image: Image.Image) -> int:
    return int(perceptual_hash(np.asarray(image)), 16)


def brute(hashes: list[str], others: list[str]) -> set[tuple[int, int]]:
    one, other = (np.array([int(text, 16) for text in some], np.uint64) for some in (hashes, others))
    bits = np.unpackbits((one[:, None] ^ other[None]).view(np.uint8).reshape(len(one), len(other), 8), axis=2)
    return set(zip(*(places.tolist() for places in np.nonzero(bits.sum(axis=2) <= NEAR)), strict=True))


@pytest.fixture(scope="module")
def hashes() -> list[str]:
    """3,000 at random, every fifth of them a copy of an earlier one with 0 to 9 bits changed."""
    rng = random.Random(7)
    values: list[int] = []
    for place in range(3000):
        if place % 5 or not values:
            values.append(rng.getrandbits(64))
        else:
            flips = sum(1 << bit for bit in rng.sample(range(64), rng.randrange(10)))
            values.append(rng.choice(values) ^ flips)
    return [f"{value:016x}" for value in values]


def test_a_hash_is_sixteen_hexadecimal_digits(pictures):
    assert all(len(perceptual_hash(np.asarray(image))) == 16 for image in pictures)
    assert len(perceptual_hash(np.zeros((40, 50, 3), np.uint8))) == 16


def test_the_hash_is_that_of_the_cosine_transform(pictures):
    for image in pictures:
        grey = np.asarray(image.convert("L").resize((32, 32), Image.Resampling.LANCZOS), float)
        low = dctn(grey, norm="ortho")[:8, :8].ravel()
        bits = "".join(str(int(value > np.median(low))) for value in low)
        assert hashed(image) == int(bits, 2)


@pytest.mark.parametrize("quality", [95, 85, 70])
def test_recompression_leaves_the_hash_near(pictures, quality):
    for image in pictures:
        assert (hashed(image) ^ hashed(recompressed(image, quality))).bit_count() <= NEAR


def test_a_brighter_and_a_smaller_copy_stay_near(pictures):
    for image in pictures:
        for copy in (ImageEnhance.Brightness(image).enhance(1.05), image.resize((128, 96), Image.Resampling.LANCZOS)):
            assert (hashed(image) ^ hashed(copy)).bit_count() <= NEAR


def test_near_pairs_are_those_of_brute_force(hashes):
    found = list(near_pairs(hashes))
    expected = {(i, j) for i, j in brute(hashes, hashes) if i < j}
    assert len(found) == len(set(found)) > 300
    assert set(found) == expected


def test_near_pairs_of_two_lists_are_those_of_brute_force(hashes):
    found = list(near_pairs(hashes[:1000], hashes[1000:]))
    assert len(found) == len(set(found)) > 50
    assert set(found) == brute(hashes[:1000], hashes[1000:])


def test_flat_pictures_do_not_make_every_pair_a_candidate():
    assert len(list(near_pairs(["0" * 16] * 2000))) < 2000 * 250


def test_shifted_and_recompressed_copies_correlate(pictures):
    for image in pictures:
        width, height = image.size
        left = image.crop((0, 0, width - SHIFT, height - SHIFT))
        right = image.crop((SHIFT, SHIFT, width, height))
        assert correlation(left, right) >= SAME
        assert correlation(image, recompressed(image)) >= SAME


def test_other_pictures_do_not_correlate(pictures):
    values = [correlation(one, other) for i, one in enumerate(pictures) for other in pictures[:i]]
    assert np.mean(np.array(values) < SAME) > 0.95
    assert np.median(values) < 0.8


def test_a_flat_picture_correlates_with_nothing(pictures):
    flat = Image.new("RGB", (64, 64), (120, 120, 120))
    assert correlation(flat, pictures[0]) == correlation(flat, flat) == 0.0
