"""Drawn lesions: the same seed, the same pixels, and a mask that is exactly the lesion."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from scipy.ndimage import binary_dilation, label

from evaluation.phantoms import CODES, SITES, SKIN_TYPES, Phantom, draw

SMALL = (128, 96)
LEAST_DIFFERENCE = 5
"""Of mean colours, in grey levels: what is left of a lesion with a pale centre or of redness on the darkest skin."""


@pytest.fixture(scope="module")
def phantoms() -> list[Phantom]:
    return list(draw(size=SMALL))


@pytest.fixture(scope="module")
def views(phantoms) -> dict[str, list[Phantom]]:
    """The phantoms of each lesion."""
    return {name: [phantom for phantom in phantoms if phantom.lesion == name] for name in {p.lesion for p in phantoms}}


def around(mask: np.ndarray) -> np.ndarray:
    """The ring of skin that begins behind the soft border."""
    return binary_dilation(mask, iterations=9) & ~binary_dilation(mask, iterations=3)


def test_the_same_seed_draws_the_same_pixels():
    for first, second in zip(*(draw(images=16, lesions=8, size=SMALL, seed=5) for _ in range(2)), strict=True):
        assert np.array_equal(first.pixels, second.pixels)
        assert np.array_equal(first.mask, second.mask)
        assert (first.name, first.lesion, first.code, first.age) == (
            second.name,
            second.lesion,
            second.code,
            second.age,
        )


def test_another_seed_draws_other_lesions():
    one, other = (next(draw(images=2, lesions=1, size=SMALL, seed=seed)) for seed in (1, 2))
    assert not np.array_equal(one.mask, other.mask)


@pytest.mark.parametrize("size", [(320, 240), (96, 128), (100, 100)])
def test_a_picture_has_the_size_that_was_asked_for(size):
    phantom = next(draw(images=1, lesions=1, size=size))
    assert (phantom.pixels.shape, phantom.pixels.dtype) == ((size[1], size[0], 3), np.uint8)
    assert (phantom.mask.shape, phantom.mask.dtype) == ((size[1], size[0]), np.bool_)


def test_there_are_as_many_images_and_lesions_as_were_asked_for(phantoms, views):
    assert (len(phantoms), len(views)) == (210, 70)
    assert len({phantom.name for phantom in phantoms}) == 210
    assert {1, 6} <= {len(seen) for seen in views.values()} <= {1, 2, 3, 4, 5, 6}


@pytest.mark.parametrize(("images", "lesions"), [(9, 10), (61, 10)])
def test_numbers_that_cannot_be_dealt_out_are_refused_at_once(images, lesions):
    with pytest.raises(ValueError, match="each lesion has 1 to 6 images"):
        draw(images=images, lesions=lesions)


def test_every_class_has_five_lesions_and_nevi_are_the_most_frequent(views):
    lesions = Counter(seen[0].code for seen in views.values())
    assert set(lesions) == set(CODES)
    assert min(lesions.values()) >= 5
    (first, most), (_, second_most) = lesions.most_common(2)
    assert first == "nv"
    assert most > second_most


def test_every_skin_type_occurs_and_patients_are_described(phantoms):
    assert {phantom.skin_type for phantom in phantoms} == set(SKIN_TYPES)
    assert {phantom.site for phantom in phantoms} <= set(SITES)
    assert {phantom.sex for phantom in phantoms} == {"female", "male"}
    assert all(18 <= phantom.age <= 90 for phantom in phantoms)


def test_views_of_a_lesion_share_the_patient_and_differ_in_pixels_and_pose(views):
    for seen in views.values():
        assert len({(p.code, p.age, p.sex, p.site, p.skin_type) for p in seen}) == 1
        assert all(not np.array_equal(one.mask, next_one.mask) for one, next_one in pairwise(seen))


def test_views_of_a_lesion_show_the_same_shape(views):
    """Hu's first moment does not change with place, size or rotation; it does from lesion to lesion."""

    def first_moment(mask: np.ndarray) -> float:
        return float(np.cov(np.nonzero(mask)).trace() / mask.sum())

    moments = [[first_moment(phantom.mask) for phantom in seen] for seen in views.values()]
    assert max(np.ptp(seen) for seen in moments) < 0.002
    assert np.ptp([seen[0] for seen in moments]) > 0.01


def test_no_two_images_share_their_pixels(phantoms):
    assert len({phantom.pixels.tobytes() for phantom in phantoms}) == len(phantoms)


def test_a_mask_is_one_region_wholly_in_the_picture(phantoms):
    for phantom in phantoms:
        assert label(phantom.mask)[1] == 1
        assert label(~phantom.mask)[1] == 1
        assert 0.03 <= phantom.mask.mean() <= 0.6
        assert not np.concatenate([phantom.mask[[0, -1]].ravel(), phantom.mask[:, [0, -1]].ravel()]).any()


def test_the_lesion_differs_in_colour_from_the_skin_around_it(phantoms):
    for phantom in phantoms:
        lesion, skin = (phantom.pixels[area].mean(axis=0) for area in (phantom.mask, around(phantom.mask)))
        assert np.linalg.norm(lesion - skin) > LEAST_DIFFERENCE, phantom.name


def test_the_border_of_the_mask_is_where_the_colour_changes(phantoms):
    """The steepest change of a sharply bordered lesion, averaged over its border, lies within a pixel of the mask's."""
    for phantom in (phantom for phantom in phantoms if phantom.code == "vasc"):
        grey = phantom.pixels[..., 1].astype(float)
        bands = [phantom.mask]
        for _ in range(6):
            bands.append(binary_dilation(bands[-1]))
        inner = [~binary_dilation(~phantom.mask, iterations=step) for step in range(6, 0, -1)]
        means = [grey[outer & ~area].mean() for area, outer in pairwise([*inner, *bands])]
        assert abs(int(np.argmax(np.diff(means))) - 5) <= 1, phantom.name
