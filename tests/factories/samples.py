"""Samples for tests of the metrics: a seed in, probabilities with ties and lesions of several pictures out."""

import numpy as np

from evaluation.metrics.sample import Sample


def drawn(seed: int, *, images: int = 120, classes: int = 4, lesions: int | None = 60, coarse: bool = False) -> Sample:
    """Draw a sample; a lesion has one truth. Without lesions each picture is its own; `coarse` makes many ties."""
    rng = np.random.default_rng(seed)
    groups = np.arange(images) if lesions is None else np.append(np.arange(lesions), rng.integers(0, lesions, images))
    groups = groups[:images]
    truth = rng.integers(0, classes, images)[groups]
    return answered(rng, truth, groups, classes, coarse=coarse)


def answered(
    rng: np.random.Generator, truth, groups, classes: int, *, coarse: bool = False, skill: float = 1.2
) -> Sample:
    """Answer pictures as a model of this skill would; pictures of a lesion are answered alike."""
    shared = rng.normal(size=(int(groups.max()) + 1, classes))[groups]
    logits = shared + rng.normal(size=(len(truth), classes)) + skill * np.eye(classes)[truth]
    values = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    if coarse:
        values = np.maximum(1, np.round(values * 8)) / 8
        values /= values.sum(1, keepdims=True)
    return Sample.of([f"c{k}" for k in range(classes)], values, truth, groups)


def again(sample: Sample, seed: int, skill: float = 1.2) -> Sample:
    """Another model's answers to the same pictures."""
    answers = answered(np.random.default_rng(seed), sample.truth, sample.lesions, len(sample.codes), skill=skill)
    return Sample(sample.codes, answers.probabilities, sample.truth, sample.lesions)
