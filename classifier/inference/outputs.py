"""What a network's numbers mean. Nothing else knows softmax, log softmax, several sigmoids and one.

A network with one sigmoid has one logit z and two classes: its logits are (0, z), whose softmax is (1 - p, p).
"""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating]
Doubles = npt.NDArray[np.float64]
SMALLEST_SUM = 1e-12
SMALLEST, LARGEST = float(np.finfo(np.float32).tiny), 1 - float(np.finfo(np.float32).epsneg)
SUM_TOLERANCE = 1e-3


def to_probabilities(logits: Floats, output: str) -> Doubles:
    """Return probabilities (N, classes), whose rows sum to 1, of a network's logits (N, outputs).

    `output` is the manifest's word. Several sigmoids are divided by their sum, every other output is a softmax.
    """
    scores = sigmoids(logits, output)
    if scores is not None:
        return np.asarray(scores / scores.sum(axis=1, keepdims=True).clip(SMALLEST_SUM))
    return np.asarray(np.exp(log_softmax(of_classes(logits))))


def sigmoids(logits: Floats, output: str) -> Doubles | None:
    """Return the raw values (N, outputs) of several sigmoids, None for any other output."""
    if output != "sigmoid" or logits.shape[1] == 1:
        return None
    return np.asarray(np.exp(-np.logaddexp(0, -logits.astype(np.float64))))


def of_classes(logits: Floats) -> Floats:
    """Return a logit for each class, (N, classes), of a network's logits (N, outputs)."""
    return np.concatenate([np.zeros_like(logits), logits], axis=1) if logits.shape[1] == 1 else logits


def explained(logits: Floats) -> Floats:
    """Return the scores (N, classes) that maps explain: one logit z raises one class as much as it lowers the other."""
    return np.concatenate([-logits, logits], axis=1) if logits.shape[1] == 1 else logits


def log_softmax(values: Floats) -> Doubles:
    """Return log probabilities (N, K); several times as quick as scipy's for a few hundred rows."""
    exact = np.asarray(values, np.float64)
    shifted = exact - exact.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))


def to_logits(numbers: Floats, output: str) -> Doubles:
    """Return logits (N, outputs) of the numbers of a network that itself ends with `output`."""
    exact = numbers.astype(np.float64)
    if output == "softmax":
        return np.asarray(np.log(exact.clip(SMALLEST)))
    if output == "sigmoid":
        shares = exact.clip(SMALLEST, LARGEST)
        return np.asarray(np.log(shares) - np.log1p(-shares))
    return exact


def is_possible(numbers: Floats, output: str) -> bool:
    """Whether numbers (N, outputs) can be those of a network that ends with `output`."""
    shares = np.exp(numbers) if output == "log_softmax" else numbers
    if output in ("softmax", "log_softmax"):
        return bool((shares >= 0).all() and np.abs(shares.sum(axis=1) - 1).max() <= SUM_TOLERANCE)
    return output != "sigmoid" or bool((shares >= 0).all() and (shares <= 1).all())
