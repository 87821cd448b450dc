"""Occlusion: how far each class's logit falls while a part of the picture is covered. No gradient and no layer."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from classifier.inference.classifier import Classifier
from classifier.inference.input.preprocess import Region
from classifier.inference.outputs import explained

Floats = npt.NDArray[np.float32]
CELLS = 8
REACH = 0.5  # a patch reaches half a cell beyond its own: neighbours overlap by half
BATCH = 8
BORDER = 0.05


def nothing() -> None:
    """What is done between two batches where nobody waits."""


def occlusion(
    classifier: Classifier,
    picture: Floats,
    vector: Floats | None,
    inside: Region,
    between: Callable[[], None] = nothing,
) -> Floats:
    """Return signed maps (C, rows, columns): the logit of the whole picture less that of the covered one.

    `picture` (height, width, 3) is a network's input and `inside` (left, top, right, bottom) the part of it, in its
    px, that is picture and no padding. Each patch has the mean colour of the picture's border, mostly skin: a covered
    lesion then looks like none. Padding is never covered: places in it are 0. Source: Zeiler and Fergus 2014,
    arXiv:1311.2901, section 4.2, there in grey. `between` is called before each batch, for work that cannot wait.
    """
    height, width = picture.shape[:2]
    left, top, right, bottom = (round(edge) for edge in inside)
    boxes = patches(height, width).clip([left, top] * 2, [right, bottom] * 2)
    colour = border_colour(picture, inside)
    whole = _scores(classifier, picture[None], vector)[0]
    falls = np.empty((*boxes.shape[:2], len(whole)), np.float32)
    flat, places = falls.reshape(-1, len(whole)), boxes.reshape(-1, 4)
    for start in range(0, len(places), BATCH):
        between()
        covered = np.stack([_covered(picture, place, colour) for place in places[start : start + BATCH]])
        flat[start : start + BATCH] = whole - _scores(classifier, covered, vector)
    return np.moveaxis(falls, -1, 0)


def patches(height: int, width: int) -> npt.NDArray[np.intp]:
    """Return (rows, columns, 4): left, top, right, bottom of each patch in px; eight cells along the longer side."""
    cell = max(height, width) / CELLS
    rows, columns = max(2, round(height / cell)), max(2, round(width / cell))
    (top, bottom), (left, right) = _edges(height, rows), _edges(width, columns)
    found = np.empty((rows, columns, 4), np.intp)
    found[..., 0], found[..., 2] = left, right
    found[..., 1], found[..., 3] = top[:, None], bottom[:, None]
    return found


def _edges(length: int, cells: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    low = (np.arange(cells) - REACH) * length / cells
    high = (np.arange(cells) + 1 + REACH) * length / cells
    return low.round().clip(0, length).astype(np.intp), high.round().clip(0, length).astype(np.intp)


def border_colour(picture: Floats, inside: Region) -> Floats:
    """Return the mean colour (3,) of a frame, a twentieth of the shorter side thick, within `inside`."""
    left, top, right, bottom = (round(edge) for edge in inside)
    part = picture[max(0, top) : bottom, max(0, left) : right]
    thick = max(1, round(min(part.shape[:2]) * BORDER))
    frame = np.ones(part.shape[:2], bool)
    frame[thick:-thick, thick:-thick] = False
    return np.asarray(part[frame].mean(axis=0, dtype=np.float64), np.float32)


def _covered(picture: Floats, place: npt.NDArray[np.intp], colour: Floats) -> Floats:
    left, top, right, bottom = place
    covered = picture.copy()
    covered[top:bottom, left:right] = colour
    return covered


def _scores(classifier: Classifier, pictures: Floats, vector: Floats | None) -> Floats:
    vectors = None if vector is None else np.repeat(vector[None], len(pictures), axis=0)
    return explained(classifier.output(pictures, vectors).logits)
