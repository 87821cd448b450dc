"""What every metric reads: probabilities, truths and the lesions that the pictures show."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Sample:
    """n pictures, C classes: probabilities (n, C) in [0, 1], truth (n,) as class index, lesions (n,) as 0…L-1.

    Pictures of one lesion (or of one patient, where patients are known) are not independent: every interval draws
    lesions. Raises ValueError for shapes that do not fit, values out of range and not-a-numbers.
    """

    codes: tuple[str, ...]
    probabilities: Floats
    truth: Integers
    lesions: Integers

    def __post_init__(self) -> None:
        images, classes = self.probabilities.shape
        if classes != len(self.codes) or len(set(self.codes)) != classes:
            raise ValueError(f"{classes} columns of probabilities do not fit {len(self.codes)} distinct codes")
        if self.truth.shape != (images,) or self.lesions.shape != (images,):
            raise ValueError(f"{images} rows of probabilities need as many truths and lesions")
        if images and not (self.truth.min() >= 0 and self.truth.max() < classes):
            raise ValueError("a truth is no index of a class")
        if not ((self.probabilities >= 0) & (self.probabilities <= 1 + 1e-9)).all():
            raise ValueError("a probability is not within [0, 1]")

    @classmethod
    def of(cls, codes: Sequence[str], probabilities: Any, truth: Any, lesions: Sequence[Any] | None = None) -> "Sample":
        """Build a sample from lists; lesions may be any labels, and each picture is its own lesion without them."""
        values = np.asarray(probabilities, np.float64).reshape(-1, len(codes))
        groups = np.arange(len(values)) if lesions is None else np.unique(np.asarray(lesions), return_inverse=True)[1]
        return cls(tuple(codes), values, np.asarray(truth, np.int64), groups.astype(np.int64).reshape(-1))

    @property
    def images(self) -> int:
        return len(self.truth)

    @cached_property
    def lesion_count(self) -> int:
        return int(self.lesions.max()) + 1 if self.images else 0

    @cached_property
    def predicted(self) -> Integers:
        """The first of the largest values of each row."""
        return self.probabilities.argmax(1) if self.images else np.zeros(0, np.int64)

    @cached_property
    def right(self) -> Booleans:
        return np.asarray(self.predicted == self.truth)

    @cached_property
    def ties(self) -> int:
        """The number of rows whose largest value occurs more than once."""
        if not self.images:
            return 0
        return int(((self.probabilities == self.probabilities.max(1, keepdims=True)).sum(1) > 1).sum())

    @cached_property
    def supported(self) -> Integers:
        """The classes with at least one true picture; macro values average these."""
        return np.unique(self.truth)

    def lesions_of(self, chosen: Booleans) -> int:
        return len(np.unique(self.lesions[chosen]))

    def where(self, chosen: Booleans) -> "Sample":
        """Return the chosen pictures, (n,) booleans, as a sample of their own."""
        groups = np.unique(self.lesions[chosen], return_inverse=True)[1].reshape(-1)
        return Sample(self.codes, self.probabilities[chosen], self.truth[chosen], groups.astype(np.int64))
