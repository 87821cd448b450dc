"""Which output is which class: an assignment on the confusion matrix, and what chance reaches with as many tries."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from evaluation.metrics.sample import Floats, Integers

SMOOTHING = 0.5
NULL_RUNS = 200


def confusion(said: Integers, truth: Integers, classes: int, outputs: int) -> Floats:
    """Count truths (n,) in `classes` against the largest output (n,): (classes, outputs)."""
    return np.bincount(truth * outputs + said, minlength=classes * outputs).reshape(classes, outputs).astype(float)


def assigned(counts: Floats) -> Integers:
    """Return for each class (row) the output that the whole confusion matrix gives it, (classes,).

    The sum of −log of the smoothed shares of each row is least; classes may not be more than outputs.
    """
    smooth = counts + SMOOTHING
    cost = -np.log(smooth / smooth.sum(1, keepdims=True))
    return np.asarray(linear_sum_assignment(cost)[1])


def balanced_accuracy(counts: Floats, places: Integers) -> float:
    """Return the mean over classes of the share whose largest output is the class's, in [0, 1]."""
    return float((counts[np.arange(len(places)), places] / counts.sum(1)).mean())


def chance(said: Sequence[Integers], truth: Integers, units: Integers, *, outputs: int, seed: int) -> Floats:
    """Return the best balanced accuracies (NULL_RUNS,) that permuted labels reach, sorted.

    `said` holds the largest outputs (n,) of each setting that was tried; each null run permutes the labels, assigns the
    outputs anew for every setting and keeps the best, as a search does. What moves together are the pictures of one
    class of one lesion or patient (n,), so that each class keeps as many of these groups as it has.
    """
    rng = np.random.default_rng(seed)
    groups, where = np.unique(np.stack([units, truth]), axis=1, return_inverse=True)
    labels, places = groups[1], where.reshape(-1)
    runs = [best_assigned(said, rng.permutation(labels)[places], outputs) for _ in range(NULL_RUNS)]
    return np.sort(runs)


def best_assigned(said: Sequence[Integers], truth: Integers, outputs: int) -> float:
    """Return the best balanced accuracy of any setting when its outputs are assigned to the truth (n,)."""
    tables = [confusion(answers, truth, int(truth.max()) + 1, outputs) for answers in said]
    return max(balanced_accuracy(counts, assigned(counts)) for counts in tables)


def best_matching(score: npt.NDArray[np.floating], *, without: tuple[int, int] | None = None) -> float:
    """Return the largest sum of scores (classes, outputs) of an assignment, optionally without one pair.

    −inf where no other assignment is possible.
    """
    if without is not None:
        score = score.copy()
        score[without] = -1e9
    rows, columns = linear_sum_assignment(score, maximize=True)
    total = float(score[rows, columns].sum())
    return total if total > -1e8 else -np.inf
