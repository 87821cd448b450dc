"""Figures about heat maps, with answers that are known."""

from itertools import pairwise

import numpy as np
import pytest

from evaluation.metrics.maps.credibility import (
    RASTER,
    against_baselines,
    centre_gaussian,
    inside_share,
    located,
    means,
    on_raster,
    pointing,
    raster,
)
from evaluation.metrics.maps.perturbation import STEPS, Blocks, deletion, filled_in, insertion, road
from evaluation.metrics.maps.rules import Better
from evaluation.metrics.maps.similarity import (
    can_be_used,
    changed,
    is_constant,
    mean_likeness,
    spearman,
    stability,
    turned,
)
from evaluation.phantoms import draw

WHOLE = (0.0, 0.0, 64.0, 48.0)


@pytest.fixture
def rng():
    return np.random.default_rng(1)


def mask(rows: slice, columns: slice) -> np.ndarray:
    made = np.zeros((48, 64), bool)
    made[rows, columns] = True
    return made


LEFT = mask(slice(None), slice(0, 32))


def test_an_even_map_has_the_share_of_the_area_and_so_have_its_baselines(rng):
    found = located(np.ones((6, 8)), WHOLE, mask(slice(0, 24), slice(0, 32)), rng)
    assert found.area == 0.25
    assert all(abs(share - 0.25) < 1e-9 for share in found.share.values())
    assert found.pointing["map"] == pytest.approx(0.25)


def test_a_map_without_heat_has_the_share_of_the_area(rng):
    found = located(-np.ones((6, 8)), WHOLE, LEFT, rng)
    assert found.share == {"map": 0.5, "gaussian": 0.5, "random": 0.5}
    assert found.ratio("map") == 1


def test_heat_on_the_lesion_alone_is_all_inside_and_points_at_it(rng):
    grid = np.zeros((6, 8))
    grid[2:4, 1:3] = 1
    found = located(grid, WHOLE, LEFT, rng)
    assert found.share["map"] == 1
    assert found.pointing["map"] == 1
    assert found.ratio("map") == 2
    assert found.share["gaussian"] == pytest.approx(0.5)
    assert abs(found.share["random"] - 0.5) < 0.2


def test_what_lowers_the_score_is_no_heat(rng):
    grid = np.full((6, 8), -5.0)
    grid[3, 6] = 1
    assert located(grid, WHOLE, LEFT, rng).share["map"] == 0


def test_a_mask_above_nine_tenths_and_one_that_the_map_does_not_cover_are_left_out(rng):
    assert located(np.ones((6, 8)), WHOLE, mask(slice(0, 47), slice(None)), rng) is None
    assert located(np.ones((6, 6)), (8.0, 0.0, 56.0, 48.0), mask(slice(None), slice(0, 8)), rng) is None


def test_only_what_lies_on_the_picture_counts_of_a_letterbox(rng):
    grid = np.zeros((4, 4))
    grid[0] = 9  # on the padding above the picture
    grid[1:3, :2] = 1
    _x, y = raster((0.0, -16.0, 64.0, 80.0), 48, 64)
    assert y.min() > 0
    assert y.max() < 48
    assert located(np.ones((4, 4)), (0.0, -8.0, 64.0, 56.0), LEFT, rng).area == 0.5
    assert pointing(on_raster(np.eye(2), WHOLE, *raster(WHOLE, 48, 64)), np.ones((RASTER, RASTER), bool)) == 1


def test_the_bell_is_in_the_middle_and_as_wide_as_the_heat():
    places = (np.arange(RASTER) + 0.5) / RASTER
    heat = np.exp(-(((places[:, None] - 0.3) / 0.1) ** 2 + ((places[None, :] - 0.7) / 0.05) ** 2) / 2)
    bell = centre_gaussian(heat)
    assert np.allclose(bell, bell[::-1, ::-1])
    for axis, deviation in ((1, 0.1), (0, 0.05)):
        marginal = bell.sum(axis=axis)
        assert np.sqrt(marginal @ (places - 0.5) ** 2 / marginal.sum()) == pytest.approx(deviation, rel=0.05)
    corners = np.zeros((RASTER, RASTER))
    corners[0, 0] = corners[-1, -1] = 1
    assert np.allclose(centre_gaussian(corners), 1)


def test_a_bell_finds_centred_lesions_as_well_as_a_map_that_is_one(rng):
    """Phantoms have exact masks: the mask itself as a map is right, a blob in the middle only by luck."""
    right, blob = [], []
    lesions = np.arange(30)
    for phantom in draw(images=30, lesions=30, size=(64, 48)):
        grid = phantom.mask.reshape(12, 4, 16, 4).mean((1, 3))
        row, column = np.mgrid[:12, :16]
        down, right_by = rng.normal(size=2)
        centred = np.exp(-(((row - 5.5 - down) / 12) ** 2 + ((column - 7.5 - right_by) / 16) ** 2) * 8)
        right.append(located(grid, WHOLE, phantom.mask, rng))
        blob.append(located(centred, WHOLE, phantom.mask, rng))
    for found, better in ((right, True), (blob, False)):
        figures = {kind: np.array([one.ratio(kind) for one in found]) for kind in ("map", "gaussian", "random")}
        assert against_baselines(figures, lesions).better.gaussian is better
    assert np.mean([one.pointing["map"] for one in right]) > 0.95
    assert all(one.ratio("map") > one.ratio("gaussian") for one in right)


def test_intervals_are_those_of_lesions(rng):
    """Ten pictures of each lesion that all say the same are no more evidence than one."""
    values = rng.normal(size=40)
    one = means({"x": values}, np.arange(40))["x"]
    ten = means({"x": np.repeat(values, 10)}, np.repeat(np.arange(40), 10))["x"]
    assert ten.to_json() == pytest.approx(one.to_json())
    expected = 1.96 * values.std() / np.sqrt(40)
    assert (one.high - one.low) / 2 == pytest.approx(expected, rel=0.1)
    assert "fewer than 30 lesions" in means({"x": values[:20]}, np.arange(20))["x"].note


def test_a_difference_is_paired_and_its_direction_can_be_turned(rng):
    luck = rng.normal(size=50) * 10
    figures = {"map": luck + 0.5 + rng.normal(size=50) * 0.1, "gaussian": luck, "random": luck + 0.5}
    found = against_baselines(figures, np.arange(50))
    assert found.minus_gaussian.value == pytest.approx(0.5, abs=0.1)
    assert found.better == Better(gaussian=True, random=False)
    assert against_baselines(figures, np.arange(50), sign=-1).better == Better(gaussian=False, random=False)


def test_the_share_and_the_peak_of_plain_numbers():
    inside = np.array([[True, False]])
    assert inside_share(np.array([[3.0, 1.0]]), inside) == 0.75
    assert pointing(np.array([[3.0, 1.0]]), inside) == 1
    assert pointing(np.array([[1.0, 1.0]]), inside) == 0.5


def spotted() -> tuple[np.ndarray, np.ndarray]:
    """An input with one bright quarter, and the map that knows it."""
    inputs = np.full((32, 32, 3), -1, np.float32)
    inputs[:16, :16] = 1
    grid = np.zeros((4, 4))
    grid[:2, :2] = 1
    return inputs, grid


def brightness(pictures) -> np.ndarray:
    """A model that looks at the bright quarter and at nothing else."""
    return np.array([(picture[:16, :16].mean() + 1) / 2 for picture in pictures])


def test_the_map_of_what_a_model_looks_at_beats_the_others_at_every_game(rng):
    inputs, grid = spotted()
    blocks = Blocks(inputs, np.ones((32, 32), bool))
    orders = {"map": blocks.order(grid, rng), "wrong": blocks.order(-grid, rng)}
    for game, sign, least in ((deletion, -1, 0.2), (insertion, 1, 0.05)):
        right, wrong = (game(blocks, orders[name], brightness) for name in ("map", "wrong"))
        assert sign * (right - wrong) > least
    right, wrong = (road(blocks, orders[name], brightness, rng) for name in ("map", "wrong"))
    assert right > 0.1
    assert right == pytest.approx(-wrong, abs=0.05)


def test_the_area_under_a_deletion_curve_is_that_of_the_formula(rng):
    inputs, grid = spotted()
    blocks = Blocks(inputs, np.ones((32, 32), bool))
    curve = [1 - min(1, 4 * step / STEPS) * 0.75 for step in range(STEPS + 1)]  # to the mean colour, -0.5
    expected = sum((one + other) / 2 for one, other in pairwise(curve)) / STEPS
    assert deletion(blocks, blocks.order(grid, rng), brightness) == pytest.approx(expected, abs=0.005)


def test_padding_is_never_taken_away(rng):
    seen = np.zeros((32, 32), bool)
    seen[8:24] = True
    blocks = Blocks(np.random.default_rng(0).normal(size=(32, 32, 3)).astype(np.float32), seen)
    order = blocks.order(np.ones((4, 4)), rng)
    assert len(order) == 16 * 32
    assert np.array_equal(blocks.deleted(order, 1.0)[:8], blocks.inputs[:8])


def test_missing_places_become_the_mean_of_their_neighbours():
    """A linear ramp is harmonic: it is restored where it is missing inside."""
    row, column = np.mgrid[:9, :9]
    ramp = (2.0 * row + 3 * column)[..., None].repeat(3, axis=2)
    gone = np.zeros((9, 9), bool)
    gone[3:6, 2:7] = True
    damaged = np.where(gone[..., None], 77, ramp)
    assert np.allclose(filled_in(damaged, gone), ramp)
    assert filled_in(ramp, np.zeros((9, 9), bool)) is ramp


def test_spearman_is_scipys_and_a_constant_map_has_none(rng):
    from scipy.stats import spearmanr

    one, other = rng.normal(size=(2, 7, 7)).round(1)
    assert spearman(one, other) == pytest.approx(spearmanr(one.ravel(), other.ravel()).statistic)
    assert spearman(one, np.exp(one)) == pytest.approx(1)
    assert spearman(one, np.ones((7, 7))) is None
    assert not can_be_used(np.array([1.0, np.nan]))
    assert not is_constant(np.array([1.0, np.nan]))


def test_a_map_that_moves_with_the_picture_is_stable_and_one_that_stays_is_not(rng):
    row, column = np.mgrid[:40, :40].astype(float)
    bump = np.exp(-(((row - 12) / 9) ** 2 + ((column - 25) / 14) ** 2))
    inputs = np.repeat(bump[..., None], 3, axis=2).astype(np.float32)

    def seen(picture: np.ndarray) -> np.ndarray:
        return picture.mean(2).reshape(10, 4, 10, 4).mean((1, 3))

    for name, picture in changed(inputs, rng).items():
        assert picture.shape == inputs.shape
        least = 0.75 if name == "with noise" else 0.97
        assert stability(seen(inputs), seen(picture), name) > least, name
        if name.startswith("flipped"):
            assert stability(seen(inputs), seen(inputs), name) < 0.85


def test_turning_there_and_back_gives_the_picture():
    smooth = np.add.outer(np.arange(30.0), np.arange(30.0) ** 1.5)
    again = turned(turned(smooth, 10), -10)
    assert np.allclose(again[8:-8, 8:-8], smooth[8:-8, 8:-8], atol=0.5)


def test_likeness_draws_lesions_and_seeds_and_leaves_constant_maps_out(rng):
    seeds = np.array([0.1, 0.2, 0.3, 0.4, 0.5])
    values = np.tile(seeds, (60, 1))  # all the doubt is in the seeds
    found = mean_likeness(values, np.arange(60))
    assert found.value == pytest.approx(0.3)
    assert found.high - found.low > 0.2
    values[:, 0] = np.nan
    assert mean_likeness(values, np.arange(60)).value == pytest.approx(0.35)
    assert mean_likeness(np.full((60, 5), np.nan), np.arange(60)).value is None
