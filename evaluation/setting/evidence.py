"""How well answers fit the truth: log loss at the best temperature and offsets, differences by lesion bootstrap."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.optimize import minimize
from scipy.stats import norm, t

from classifier.inference.outputs import log_softmax, to_probabilities
from evaluation.metrics.sample import Floats, Integers

UNIFORM_SHARE = 0.02
"""Mixed into every probability, so that no single picture decides."""
LEAST, FAINTEST = math.exp(-30), math.log(1e-12)
"""A probability, and the logit of a sigmoid, below which one says no more than the other."""
RIDGE = 0.02
REPLICATES = 2000
LEVEL = 0.99
"""One-sided: a claim is made when this share of replicates agrees."""
SMALLEST_GAIN = 0.02
"""In nats: what separates less is left undetermined, however sure."""


@dataclass(frozen=True, eq=False)
class Pictures:
    """The truth (n,) of the pictures of one half, as index of the C classes that occur, and their lesions (n,)."""

    truth: Integers
    lesions: Integers
    seed: int = 0

    @classmethod
    def of(cls, truth: Sequence[int], units: Sequence[str], *, seed: int = 0) -> "Pictures":
        lesions = np.unique(np.asarray(units, dtype=str), return_inverse=True)[1]
        return cls(np.asarray(truth, np.int64), lesions.reshape(-1).astype(np.int64), seed)

    @cached_property
    def weights(self) -> Floats:
        """Each class counts alike, (n,), with sum 1."""
        counts = np.bincount(self.truth)
        return np.asarray(1 / (counts[self.truth] * np.count_nonzero(counts)))

    @property
    def lesion_count(self) -> int:
        return len(np.unique(self.lesions))

    @cached_property
    def lesions_by_class(self) -> Integers:
        classes = range(int(self.truth.max()) + 1)
        return np.array([len(np.unique(self.lesions[self.truth == index])) for index in classes])

    @cached_property
    def replicates(self) -> tuple[Floats, ...]:
        """For each class, the weights (REPLICATES, its pictures) of its mean when its lesions are drawn anew.

        The deviations are widened by √(m / (m − 1)) for m lesions: a bootstrap of few makes them too narrow.
        """
        rng = np.random.default_rng(self.seed)
        return tuple(_replicates(self.lesions[self.truth == index], rng) for index in range(len(self.lesions_by_class)))

    def class_means(self, values: Floats) -> Floats:
        """Return the replicated class means (C, REPLICATES, K) of values (n, K)."""
        return np.stack([drawn @ values[self.truth == index] for index, drawn in enumerate(self.replicates)])


def _replicates(lesions: Integers, rng: np.random.Generator) -> Floats:
    found, where = np.unique(lesions, return_inverse=True)
    count = len(found)
    drawn = rng.multinomial(count, np.full(count, 1 / count), size=REPLICATES)[:, where.reshape(-1)]
    share, even = drawn / drawn.sum(1, keepdims=True), 1 / len(lesions)
    widened = np.sqrt(count / (count - 1)) if count > 1 else 1.0
    return np.asarray(even + widened * (share - even))


def widening(freedom: Floats) -> Floats:
    """Return how much wider an interval is (…,) when its spread was estimated with this freedom (…,), as Student's."""
    return np.asarray(t.ppf(LEVEL, freedom) / norm.ppf(LEVEL))


def log_probabilities(logits: Floats, output: str) -> Floats:
    """Return log probabilities (n, K) of logits (n, K), as the portal reads this output; sigmoids sum to 1.

    An input in a wrong scale may make a network overflow: what is no number says nothing.
    """
    logits = np.nan_to_num(logits.astype(np.float64), nan=0.0, posinf=1e6, neginf=-1e6)
    if output == "sigmoid" and logits.shape[1] > 2:
        return np.asarray(np.log(to_probabilities(logits.clip(FAINTEST), output)))
    return np.asarray(np.log(to_probabilities(logits, "softmax").clip(LEAST)))  # two logits may be one sigmoid's (0, z)


@dataclass(frozen=True, eq=False)
class Calibration:
    """1 / temperature and one offset for each output (K,): what a training prior and confidence may change."""

    slope: float
    offsets: Floats

    def losses(self, values: Floats, places: Integers, truth: Integers) -> Floats:
        """Return −log probability (n,) of the truths (n,) whose classes stand at outputs places (C,)."""
        return -self.log_scores(values)[np.arange(len(truth)), places[truth]]

    def log_scores(self, values: Floats) -> Floats:
        mixed = np.exp(log_softmax(self.slope * values + self.offsets))
        return np.asarray(np.log((1 - UNIFORM_SHARE) * mixed + UNIFORM_SHARE / values.shape[1]))


def calibrated(values: Floats, places: Integers, pictures: Pictures) -> Calibration:
    """Fit slope and offsets to log probabilities (n, K) by class-balanced log loss; the slope is never negative."""
    outputs, weights = values.shape[1], pictures.weights
    wanted = np.zeros_like(values)
    wanted[np.arange(len(values)), places[pictures.truth]] = 1

    def loss(parameters: Floats) -> tuple[float, Floats]:
        slope, offsets = np.exp(parameters[0]), parameters[1:]
        logs = log_softmax(slope * values + offsets)
        residual = weights[:, None] * (np.exp(logs) - wanted)
        value = -(weights[:, None] * logs * wanted).sum() + RIDGE * (offsets**2).sum() / outputs
        gradient = [slope * (residual * values).sum(), *(residual.sum(0) + 2 * RIDGE * offsets / outputs)]
        return float(value), np.array(gradient)

    start = np.zeros(outputs + 1)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(-6, 2)] + [(-12, 12)] * outputs)
    return Calibration(float(np.exp(found.x[0])), found.x[1:])


@dataclass(frozen=True)
class Difference:
    """A difference in mean log loss, in nats, with its interval; `sure` where its low end is above SMALLEST_GAIN."""

    value: float
    low: float
    high: float

    @property
    def sure(self) -> bool:
        return self.low > SMALLEST_GAIN


def difference(losses: Floats, pictures: Pictures) -> Difference:
    """Return the class-balanced mean of paired differences in log loss (n,), with a bootstrap of lesions by class.

    A class with one lesion shows no spread and is left out; with no other class the interval has no ends. It is as wide
    as Student's with the freedom of Welch and Satterthwaite: the spread of a class with two lesions says little.
    """
    spread = pictures.lesions_by_class > 1
    if not spread.any():
        return Difference(float((pictures.weights * losses).sum()), -np.inf, np.inf)
    means = pictures.class_means(losses[:, None])[spread, :, 0]
    value = np.mean([losses[pictures.truth == index].mean() for index in np.flatnonzero(spread)])
    variances = means.var(1)
    doubt = (variances**2 / (pictures.lesions_by_class[spread] - 1)).sum()
    wider = widening(variances.sum() ** 2 / doubt) if doubt > 0 else 1.0
    low, high = np.quantile(value + wider * (means.mean(0) - value), [1 - LEVEL, LEVEL])
    return Difference(float(value), float(low), float(high))
