"""Drawing lesions: every replicate is a set of weights, one for each lesion, so that statistics are matrix products."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse

from evaluation.metrics.sample import Floats, Integers

REPLICATES = 2000
SEED = 20_181_120
CHUNK_VALUES = 8_000_000
Weights = npt.NDArray[np.floating[Any]]


def draws(lesions: int, replicates: int = REPLICATES, seed: int = SEED) -> Iterator[Weights]:
    """Yield chunks (b, lesions) of how often each lesion was drawn, `replicates` rows in all.

    The same numbers give the same draws, so that all models of a comparison share them.
    """
    rng = np.random.default_rng(seed)
    left, most = replicates, max(1, CHUNK_VALUES // max(1, lesions))
    while left:
        size = min(left, most)
        drawn = rng.integers(0, lesions, (size, lesions), dtype=np.int32)
        drawn += (np.arange(size, dtype=np.int32) * lesions)[:, None]
        yield np.bincount(drawn.ravel(), minlength=size * lesions).reshape(size, lesions).astype(np.float32)
        left -= size


def summed(values: Floats, lesions: Integers, count: int) -> Floats:
    """Sum (n, K) values of pictures into (count, K) values of lesions."""
    images = np.arange(len(lesions))
    matrix = scipy.sparse.csr_matrix((np.ones(len(lesions)), (lesions, images)), shape=(count, len(lesions)))
    return np.asarray(matrix @ values)


def cells_by_lesion(cells: Integers, lesions: Integers, count: int, size: int) -> scipy.sparse.csr_matrix:
    """Count how often each lesion's pictures fall into each of `size` cells: sparse (count, size)."""
    return scipy.sparse.csr_matrix((np.ones(len(cells), np.float32), (lesions, cells)), shape=(count, size))
