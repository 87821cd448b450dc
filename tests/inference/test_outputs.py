"""Logits and a network's own numbers as probabilities, against scipy's functions."""

import numpy as np
import pytest
from scipy.special import expit, softmax
from scipy.special import log_softmax as scipys_log_softmax

from classifier.inference import outputs

LOGITS = np.random.default_rng(1).normal(scale=4, size=(50, 5)).astype(np.float32)
OWN = {
    "softmax": lambda logits: softmax(logits, axis=1),
    "sigmoid": expit,
    "logits": lambda logits: logits,
    "log_softmax": lambda logits: scipys_log_softmax(logits, axis=1),
}


def scipys(logits: np.ndarray, output: str) -> np.ndarray:
    if output == "sigmoid":
        return expit(logits) / expit(logits).sum(axis=1, keepdims=True)
    return softmax(logits, axis=1)


@pytest.mark.parametrize("output", OWN)
def test_every_output_becomes_probabilities(output: str) -> None:
    logits = LOGITS.astype(np.float64)
    assert outputs.to_probabilities(LOGITS, output) == pytest.approx(scipys(logits, output), abs=1e-12)
    assert outputs.to_probabilities(LOGITS, output).sum(axis=1) == pytest.approx(1)


@pytest.mark.parametrize(("output", "classes"), [*((output, 5) for output in OWN), ("sigmoid", 1), ("logits", 1)])
def test_a_networks_own_numbers_lead_back_to_the_same_probabilities(output: str, classes: int) -> None:
    logits = LOGITS[:, :classes]
    own = OWN[output](logits.astype(np.float64))
    again = outputs.to_probabilities(outputs.to_logits(own, output), output)
    assert again == pytest.approx(outputs.to_probabilities(logits, output), abs=1e-6)


@pytest.mark.parametrize("output", ["sigmoid", "logits"])
def test_one_logit_stands_for_two_classes(output: str) -> None:
    one, p = LOGITS[:, :1], expit(LOGITS[:, :1].astype(np.float64))
    assert outputs.to_probabilities(one, output) == pytest.approx(np.concatenate([1 - p, p], axis=1), abs=1e-12)
    assert outputs.of_classes(one).tolist() == np.concatenate([0 * one, one], axis=1).tolist()
    assert outputs.explained(one).tolist() == np.concatenate([-one, one], axis=1).tolist()
    assert outputs.sigmoids(one, output) is None


def test_several_sigmoids_keep_their_raw_values() -> None:
    assert outputs.sigmoids(LOGITS, "sigmoid") == pytest.approx(expit(LOGITS.astype(np.float64)))
    assert outputs.sigmoids(LOGITS, "softmax") is None


@pytest.mark.parametrize("output", OWN)
def test_large_numbers_overflow_nowhere(output: str) -> None:
    huge = np.array([[1e30, -1e30, 0.0], [-1e30, -1e30, -1e30]])
    assert np.isfinite(outputs.to_probabilities(huge, output)).all()
    certain = np.array([[1.0, 0.0], [0.0, 1.0]])
    assert np.isfinite(outputs.to_logits(certain, output)).all()


@pytest.mark.parametrize(
    ("numbers", "possible"),
    [
        ([[0.2, 0.8]], {"softmax", "sigmoid", "logits"}),
        ([[0.5, 0.8]], {"sigmoid", "logits"}),
        ([[np.log(0.2), np.log(0.8)]], {"log_softmax", "logits"}),
        ([[-1.0, 2.0]], {"logits"}),
    ],
)
def test_numbers_tell_what_a_network_cannot_end_with(numbers: list[list[float]], possible: set[str]) -> None:
    assert {output for output in OWN if outputs.is_possible(np.array(numbers), output)} == possible
