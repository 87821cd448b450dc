"""Metrics that the confusion matrix alone gives, of many matrices at once.

`tables` are counts (b, C, C), rows are truths; `classes` are the indexes of those with a true picture. Each function
returns (b,).
"""

import numpy as np

from evaluation.metrics.sample import Floats, Integers


def accuracy(tables: Floats, classes: Integers) -> Floats:
    """The share of pictures on the diagonal."""
    return np.asarray(np.einsum("bkk->b", tables) / tables.sum((1, 2)))


def macro_f1(tables: Floats, classes: Integers) -> Floats:
    """The mean over the classes of 2TP / (2TP + FP + FN); a class that a replicate does not hold is left out."""
    hits, true, said = (part[:, classes] for part in (np.einsum("bkk->bk", tables), tables.sum(2), tables.sum(1)))
    with np.errstate(invalid="ignore"):
        f1 = np.where(true > 0, 2 * hits / (true + said), 0)
    return np.asarray(f1.sum(1) / np.maximum((true > 0).sum(1), 1))
