"""`python -m bench.coverage [--runs N] [--quick]`: how often the intervals hold the truth, and how often a test errs.

Simulated pictures of lesions with 1 to 6 pictures each and a known truth. Right answers follow a beta-binomial model,
scores a Gaussian one, both with a given correlation within lesions. Prints a Markdown table, then one line of JSON.
"""

import argparse
import json
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from scipy.stats import norm

from evaluation.metrics import auc, paired, rates, textbook
from evaluation.metrics.number import between
from evaluation.metrics.resampling import draws
from evaluation.metrics.sample import Floats, Integers, Sample

SIZES = (0.45, 0.25, 0.12, 0.08, 0.06, 0.04)
"""How often a lesion has 1 to 6 pictures: more repeats than HAM10000 has, about those of its melanomas."""
CORRELATIONS = (0.0, 0.3, 0.7, 0.95)
RECALLS = np.array([0.95, 0.8, 0.65, 0.5])
SHARES = np.array([0.5, 0.2, 0.15, 0.15])
"""Four classes; of 100 pictures the two smallest have 15 each."""
RUNS, QUICK_RUNS = 500, 40
REPLICATES = 1000
PERMUTATIONS = 1999
Run = Callable[[np.random.Generator], int]


@dataclass(frozen=True)
class Cell:
    """`share` of `runs` in which the interval held the truth, or in which a true null hypothesis was rejected."""

    what: str
    images: int
    correlation: float
    truth: str
    runs: int
    share: float
    above: float
    """The share of runs whose whole interval lies above the truth: of the misses, those that flatter."""

    @property
    def error(self) -> float:
        return (max(self.share * (1 - self.share), 0.5 / self.runs) / self.runs) ** 0.5


def lesions_of(rng: np.random.Generator, images: int) -> Integers:
    """Return the lesion (n,) of each picture."""
    sizes = rng.choice(np.arange(1, 7), size=images, p=SIZES)
    return np.repeat(np.arange(images), sizes)[:images]


def answers(rng: np.random.Generator, lesions: Integers, rate: float, correlation: float) -> np.ndarray:
    """Return who is right (n,), beta-binomial by lesion."""
    if not correlation:
        return rng.random(len(lesions)) < rate
    strength = (1 - correlation) / correlation
    own = rng.beta(rate * strength, (1 - rate) * strength, int(lesions.max()) + 1)
    return rng.random(len(lesions)) < own[lesions]


def side(low: float, high: float, truth: float) -> int:
    """0 if the interval holds the truth, 1 if it lies above it, -1 if below."""
    return int(low > truth + 1e-12) - int(high < truth - 1e-12)


def sensitivity(rng: np.random.Generator, images: int, correlation: float, rate: float) -> int:
    lesions = lesions_of(rng, images)
    number = rates.rate(answers(rng, lesions, rate, correlation), lesions, "")
    return side(number.low, number.high, rate)


def classes_of(rng: np.random.Generator, images: int) -> tuple[Integers, Integers]:
    """Return truth (n,) and lesions (n,) with the fixed shares of the classes."""
    counts = np.round(SHARES * images).astype(int)
    parts = [lesions_of(rng, count) for count in counts]
    offsets = np.cumsum([0, *(int(part.max()) + 1 for part in parts[:-1])])
    return np.repeat(np.arange(len(counts)), counts), np.concatenate(
        [part + offset for part, offset in zip(parts, offsets, strict=True)]
    )


def population(rng: np.random.Generator, images: int) -> tuple[Integers, Integers]:
    """Return truth (n,) and lesions (n,) whose classes are drawn: accuracy is a rate of a case mix, which varies."""
    lesions = lesions_of(rng, images)
    return rng.choice(len(SHARES), p=SHARES, size=int(lesions.max()) + 1)[lesions], lesions


def answered(
    rng: np.random.Generator, truth: Integers, lesions: Integers, recalls: Floats, correlation: float
) -> Sample:
    right = np.zeros(len(truth), bool)
    for k in np.unique(truth):
        right[truth == k] = answers(rng, lesions[truth == k], recalls[k], correlation)
    said = np.where(right, truth, (truth + rng.integers(1, len(recalls), len(truth))) % len(recalls))
    return Sample(tuple("abcd"), np.eye(len(recalls))[said], truth, lesions)


def balanced(rng: np.random.Generator, images: int, correlation: float) -> int:
    truth, lesions = classes_of(rng, images)
    sample = answered(rng, truth, lesions, RECALLS, correlation)
    return side(*textbook.balanced_interval(sample, REPLICATES), float(RECALLS.mean()))


def accuracy_percentile(rng: np.random.Generator, images: int, correlation: float) -> int:
    truth, lesions = population(rng, images)
    sample = answered(rng, truth, lesions, RECALLS, correlation)
    hits, sizes = (np.bincount(lesions, weights) for weights in (sample.right, np.ones(images)))
    drawn = [(weights @ hits) / (weights @ sizes) for weights in draws(sample.lesion_count, REPLICATES)]
    number = between(float(sample.right.mean()), np.concatenate(drawn))
    return side(number.low, number.high, float(RECALLS @ SHARES))


def accuracy_posterior(rng: np.random.Generator, images: int, correlation: float) -> int:
    truth, lesions = population(rng, images)
    sample = answered(rng, truth, lesions, RECALLS, correlation)
    number = rates.rate(sample.right, lesions, "")
    return side(number.low, number.high, float(RECALLS @ SHARES))


def area(rng: np.random.Generator, positives: int, negatives: int, correlation: float, value: float) -> int:
    """Scores are normal; pictures of a lesion share a part of theirs."""
    one, other = lesions_of(rng, positives), lesions_of(rng, negatives)
    lesions = np.concatenate([one, other + one.max() + 1])
    positive = np.arange(positives + negatives) < positives
    count = int(lesions.max()) + 1
    scores = positive * 2**0.5 * norm.ppf(value) + correlation**0.5 * rng.normal(size=count)[lesions]
    scores = scores + (1 - correlation) ** 0.5 * rng.normal(size=len(lesions))
    number = auc.number(auc.area(scores, positive, lesions, count))
    return side(number.low, number.high, value)


def rejected(rng: np.random.Generator, images: int, correlation: float, kind: str) -> int:
    """Two models of the same balanced accuracy: alike, with other classes, or with other correlation."""
    truth, lesions = classes_of(rng, images)
    recalls = RECALLS[::-1] if kind == "other classes" else RECALLS
    second = 0.0 if kind == "other correlation" else correlation
    one = answered(rng, truth, lesions, RECALLS, correlation)
    other = answered(rng, truth, lesions, recalls, second)
    return int(paired._permuted(paired._contributions(one, other)[:, :1], PERMUTATIONS)[0] <= paired.ALPHA)


def cells(quick: bool) -> Iterator[tuple[str, int, float, str, Run]]:
    numbers = (15, 100) if quick else (15, 100, 500, 1500, 10_000)
    for images in numbers:
        for correlation in CORRELATIONS:
            for rate in (0.8,) if images == 10_000 else (0.5, 0.8, 0.95):
                run = partial(sensitivity, images=images, correlation=correlation, rate=rate)
                yield "sensitivity", images, correlation, f"{rate}", run
            if images == 15:
                continue
            for name, method in (
                ("accuracy, percentile", accuracy_percentile),
                ("accuracy, posterior", accuracy_posterior),
            ):
                run = partial(method, images=images, correlation=correlation)
                yield name, images, correlation, f"{RECALLS @ SHARES:.4}", run
            run = partial(balanced, images=images, correlation=correlation)
            yield "balanced accuracy", images, correlation, f"{RECALLS.mean():.4}", run
            if images < 10_000:
                for kind in ("alike", "other classes", "other correlation"):
                    run = partial(rejected, images=images, correlation=correlation, kind=kind)
                    yield "rejected", images, correlation, kind, run
    for positives, negatives in ((15, 85), (85, 15), (60, 440), (440, 60), (225, 1275), (1500, 8500)):
        for correlation in CORRELATIONS:
            for value in (0.7, 0.9, 0.95):
                run = partial(area, positives=positives, negatives=negatives, correlation=correlation, value=value)
                yield f"AUC, {positives} positive", positives + negatives, correlation, f"{value}", run


def measured(what: str, images: int, correlation: float, truth: str, run: Run, runs: int) -> Cell:
    """Run one cell with random numbers of its own."""
    seed = [ord(letter) for letter in f"{what}{images}{correlation}{truth}"]
    found = np.array([run(np.random.default_rng([*seed, number])) for number in range(runs)])
    share = float((found == 1).mean() if what == "rejected" else (found == 0).mean())
    return Cell(what, images, correlation, truth, runs, share, float((found == 1).mean()))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.coverage", description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, help=f"runs of each cell (default {RUNS})")
    parser.add_argument("--quick", action="store_true", help=f"few sizes, {QUICK_RUNS} runs")
    parser.add_argument("--only", default="", help="only what starts with this text")
    chosen = parser.parse_args()
    runs = chosen.runs or (QUICK_RUNS if chosen.quick else RUNS)
    plan = [cell for cell in cells(chosen.quick) if cell[0].startswith(chosen.only)]
    with ProcessPoolExecutor(2) as pool:
        waiting = {index: pool.submit(measured, *plan[index], runs) for index in _largest_first(plan)}
        found = [waiting[index].result() for index in range(len(plan))]
    print("| what | images | correlation | truth | held % | error % | too high % |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for cell in found:
        held, error, above = (100 * value for value in (cell.share, cell.error, cell.above))
        columns = (cell.what, cell.images, cell.correlation, cell.truth)
        print("|", *(f"{column} |" for column in columns), f"{held:.1f} | {error:.1f} | {above:.1f} |")
    print(json.dumps({"runs": runs, "cells": [asdict(cell) for cell in found]}))


def _largest_first(plan: list) -> list[int]:
    return sorted(range(len(plan)), key=lambda index: -plan[index][1])


if __name__ == "__main__":
    main()
