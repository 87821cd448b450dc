"""Occlusion finds what a network looks at, where that is known."""

import numpy as np
import pytest

from classifier.inference.classifier import Classifier, Output
from classifier.inference.explain.explain import ExplanationUnavailable, check, explain
from classifier.inference.explain.occlusion import border_colour, occlusion, patches
from classifier.inference.input.clinical import Clinical
from tests.manifests import complete

SIDE = 64
WHOLE = (0.0, 0.0, 64.0, 64.0)
SEEN = (slice(8, 16), slice(40, 48))  # rows and columns of the cell in row 1, column 5


class Phantom(Classifier):
    """Class 0 is the red of one cell, class 1 its opposite, class 2 nothing: the answer is known."""

    layer = None
    bytes = 0

    def __init__(self, resize: str = "stretch", outputs: int = 3) -> None:
        classes = [f"c{number}" for number in range(max(2, outputs))]
        spec = {"width": SIDE, "height": SIDE, "resize": resize}
        output = "logits" if outputs > 1 else "sigmoid"
        given = {"framework": "torch", "classes": classes, "unnamed": "other", "input": spec, "output": output}
        self.manifest = complete(**(given | {"classes": self._named(classes)}))
        self.outputs = outputs
        self.sizes: list[int] = []

    def _named(self, codes):
        return [{"code": code, "name": code, "malignant": None} for code in codes]

    def output(self, inputs, vectors, method=None) -> Output:
        self.sizes.append(len(inputs))
        red = inputs[:, *SEEN, 0].mean(axis=(1, 2))
        logits = np.stack([red, -red, 0 * red], axis=1)[:, : self.outputs].astype(np.float32)
        return Output(logits, None, 0.0, 0.0)


def phantom_picture() -> np.ndarray:
    """Grey skin with a red spot where the network looks."""
    picture = np.full((SIDE, SIDE, 3), 0.5, np.float32)
    picture[*SEEN, 0] = 1.0
    return picture


def test_the_map_is_the_fall_of_the_score_to_the_number():
    maps = occlusion(Phantom(), phantom_picture(), None, WHOLE)
    assert maps.shape == (3, 8, 8)
    assert maps[0, 1, 5] == pytest.approx(0.5)
    assert maps[0, 1, 4] == maps[0, 1, 6] == maps[0, 0, 5] == maps[0, 2, 5] == pytest.approx(0.25)
    assert maps[0, 0, 4] == pytest.approx(0.125)
    assert np.count_nonzero(maps[0]) == 9
    assert np.array_equal(maps[1], -maps[0])
    assert not maps[2].any()


def test_pictures_are_covered_in_small_batches_and_the_map_is_always_the_same():
    phantom = Phantom()
    once, again = (occlusion(phantom, phantom_picture(), None, WHOLE) for _ in range(2))
    assert np.array_equal(once, again)
    assert max(phantom.sizes) == 8


def test_patches_cover_everything_and_overlap_by_half():
    boxes = patches(150, 200)
    assert boxes.shape == (6, 8, 4)
    assert boxes[0, 0].tolist() == [0, 0, 38, 38]
    assert boxes[2, 3].tolist() == [62, 38, 112, 88]
    covered = np.zeros((150, 200), int)
    for left, top, right, bottom in boxes.reshape(-1, 4):
        covered[top:bottom, left:right] += 1
    assert covered.min() >= 1


def test_padding_is_neither_covered_nor_part_of_the_border():
    inside = (0.0, 16.0, 64.0, 48.0)
    picture = np.zeros((SIDE, SIDE, 3), np.float32)
    picture[16:48] = 0.5
    assert border_colour(picture, inside).tolist() == [0.5, 0.5, 0.5]
    assert not occlusion(Phantom(), picture, None, inside).any()  # the network looks at padding only


def test_a_letterboxed_picture_is_explained_in_the_place_of_the_picture():
    pixels = np.full((32, 64, 3), 90, np.uint8)
    pixels[:4, 40:48, 0] = 255  # rows 16 to 20 of the input, outside of the cell that counts
    with pytest.raises(ExplanationUnavailable, match="zero everywhere"):
        explain(Phantom("letterbox"), pixels, Clinical(), "occlusion")


def test_one_sigmoid_has_two_opposite_maps():
    maps = occlusion(Phantom(outputs=1), phantom_picture(), None, WHOLE)
    assert maps[1, 1, 5] == pytest.approx(0.5)
    assert np.array_equal(maps[0], -maps[1])


def test_a_model_without_a_layer_has_an_occlusion_map_and_no_other():
    pixels = (phantom_picture() * 255).astype(np.uint8)
    found = explain(Phantom(), pixels, Clinical(), "occlusion")
    assert (found.layer, found.values.shape) == ("input", (3, 8, 8))
    assert np.unravel_index(found.values[0].argmax(), (8, 8)) == (1, 5)
    with pytest.raises(ExplanationUnavailable) as reason:
        explain(Phantom(), pixels, Clinical(), "hirescam")
    assert reason.value.code == "no-spatial-layer"


@pytest.mark.parametrize(("value", "code"), [(np.nan, "map-not-finite"), (np.inf, "map-not-finite"), (0, "map-empty")])
def test_maps_that_say_nothing_have_a_reason(value, code):
    with pytest.raises(ExplanationUnavailable) as reason:
        check(np.full((2, 3, 3), value, np.float32))
    assert reason.value.code == code
