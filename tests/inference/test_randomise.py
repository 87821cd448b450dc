"""Networks that forget what they have learned, from the logits down."""

from dataclasses import replace

import numpy as np
import pytest
from onnx import numpy_helper

from classifier.inference import bundle
from classifier.inference.classifier import load
from classifier.inference.explain.randomise import CASCADE, layers, randomised, shares
from classifier.inference.graph.graph import parse
from tests.factories.spot_networks import SIDE, write_bundle


@pytest.fixture
def own(tmp_path):
    write_bundle(tmp_path)
    return bundle.read(tmp_path)


def weights(found: bundle.Bundle) -> dict[str, np.ndarray]:
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in parse(found.graph.content).graph.initializer}


def moved(own: bundle.Bundle, share: float) -> set[str]:
    before, after = weights(own), weights(randomised(own, share, 1))
    return {name for name in before if not np.array_equal(before[name], after[name])} & {"w1", "w2", "w3"}


def test_layers_are_named_from_the_logits_down(own):
    assert layers(parse(own.graph.content)) == [["w3", "b3"], ["w2", "b2"], ["w1", "b1"]]


def test_more_and_more_layers_forget_and_values_stay_the_same_numbers(own):
    assert shares(own) == CASCADE
    assert [moved(own, share) for share in CASCADE] == [{"w3"}, {"w3", "w2"}, {"w3", "w2", "w1"}, {"w3", "w2", "w1"}]
    before, after = weights(own), weights(randomised(own, 1.0, 1))
    for name in before:
        assert before[name].shape == after[name].shape
        assert np.array_equal(np.sort(before[name], axis=None), np.sort(after[name], axis=None))


def test_a_seed_gives_one_network_and_another_seed_another(own):
    picture = np.random.default_rng(0).normal(size=(1, SIDE, SIDE, 3)).astype(np.float32)
    answers = [load(randomised(own, 1.0, seed)).predict(picture) for seed in (1, 1, 2)]
    assert np.array_equal(answers[0].probabilities, answers[1].probabilities)
    assert not np.allclose(answers[0].probabilities, answers[2].probabilities)
    assert answers[0].maps.shape == (1, 7, 6, 6)


def test_without_a_graph_or_a_cut_the_tensors_forget_all_at_once(own):
    native = bundle.read(own.folder, native=True)
    uncut = replace(own, graph=bundle.Graph(own.graph.content, None))
    for found in (native, uncut):
        assert shares(found) == (1.0,)
        forgot = randomised(found, 1.0, 3)
        assert forgot.graph is None
        assert set(forgot.tensors) == set(native.tensors)
        assert not np.array_equal(forgot.tensors["w1"], native.tensors["w1"])
        assert np.array_equal(np.sort(forgot.tensors["w1"], None), np.sort(native.tensors["w1"], None))
        with pytest.raises(ValueError, match="cannot be randomised"):
            randomised(found, 0.5, 3)


def test_whole_numbers_and_single_values_stay(own):
    native = bundle.read(own.folder, native=True)
    native.tensors.update(steps=np.arange(9), scale=np.array([2.5], np.float32))
    forgot = randomised(native, 1.0, 3)
    assert np.array_equal(forgot.tensors["steps"], np.arange(9))
    assert forgot.tensors["scale"] == 2.5
