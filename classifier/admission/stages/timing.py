"""How long a loaded classifier takes, from pictures to probabilities."""

import time
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from classifier.inference.classifier import Classifier, run
from classifier.inference.input.clinical import Clinical

TIMED_RUNS = 5


def milliseconds(classifier: Classifier, pictures: Sequence[NDArray[np.uint8]]) -> float:
    """Return the median of five runs without maps, on pictures (height, width, 3) that are answered together."""
    times = []
    for _run in range(TIMED_RUNS):
        began = time.perf_counter()
        run(classifier, pictures, [Clinical()] * len(pictures), maps=False)
        times.append((time.perf_counter() - began) * 1000)
    return round(float(np.median(times)), 1)
