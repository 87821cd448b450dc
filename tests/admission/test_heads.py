"""A head and a plain network are read from names and shapes; what these do not tell is said."""

from typing import Any

import pytest

from classifier.admission.known import heads, plain_networks


def layer(name: str, *weight: int, bias: bool = True) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": weight} | ({f"{name}.bias": weight[:1]} if bias else {})


def norm(name: str, width: int) -> dict[str, tuple[int, ...]]:
    return layer(name, width) | {f"{name}.running_mean": (width,), f"{name}.running_var": (width,)}


def types(layers: Any) -> str:
    return " ".join(layer["type"] for layer in layers)


@pytest.mark.parametrize(
    ("tensors", "found"),
    [
        (layer("fc", 7, 512), "linear"),
        (layer("fc.0", 64, 512) | layer("fc.1", 7, 64), "linear linear"),
        (layer("fc.0", 64, 512) | layer("fc.2", 7, 64), "linear relu linear"),
        (layer("fc.1", 64, 512) | layer("fc.4", 7, 64), "linear relu dropout linear"),
        (layer("fc1", 64, 512) | layer("fc2", 7, 64), "linear relu linear"),
        (layer("h.0", 64, 512) | norm("h.1", 64) | layer("h.4", 7, 64), "linear batchnorm1d relu dropout linear"),
        (layer("h.0", 64, 512) | norm("h.2", 64) | layer("h.3", 7, 64), "linear relu batchnorm1d linear"),
        (norm("1.2", 512) | layer("1.4", 64, 512) | norm("1.6", 64) | layer("1.8", 7, 64),
         "batchnorm1d dropout linear relu batchnorm1d dropout linear"),
        (layer("fc1", 64, 512) | norm("bn", 64) | layer("fc2", 7, 64), "linear batchnorm1d relu linear"),
    ],
)  # fmt: skip
def test_the_layers_of_a_head(tensors: dict[str, tuple[int, ...]], found: str) -> None:
    head = heads.read(tensors, 512)
    assert head is not None
    assert types(head.layers) == found
    assert (head.widths[0], head.outputs) == (512, 7)
    assert len(head.assumptions) == found.count("relu")


@pytest.mark.parametrize(
    "tensors",
    [{}, layer("fc", 7, 500), layer("a", 64, 512) | layer("b", 7, 60), layer("c", 7, 512, 1, 1), norm("b", 512)],
)
def test_what_is_no_head(tensors: dict[str, tuple[int, ...]]) -> None:
    assert heads.read(tensors, 512) is None


TWO = layer("conv1", 32, 3, 3, 3) | layer("conv2", 64, 32, 3, 3)
NUMBERED = layer("f.0", 8, 3, 3, 3) | layer("f.2", 16, 8, 3, 3) | norm("f.3", 16)
APART = layer("c1", 8, 3, 3, 3) | layer("c2", 8, 8, 3, 3) | norm("b1", 8) | norm("b2", 8)
FIVE = layer("c", 6, 3, 5, 5) | layer("d", 16, 6, 5, 5)
POOLED = "conv2d relu maxpool2d "


@pytest.mark.parametrize(
    ("tensors", "given", "found", "size"),
    [
        (TWO | layer("fc", 7, 64 * 49), None, 2 * POOLED + "flatten linear", (28, 28)),
        (TWO | layer("fc", 7, 64 * 49), (31, 30), 2 * POOLED + "flatten linear", (31, 30)),
        (TWO | layer("fc", 7, 64 * 8 * 6), (32, 24), 2 * POOLED + "flatten linear", (32, 24)),
        (TWO | layer("fc", 7, 64 * 14 * 14), (28, 28), "conv2d relu conv2d relu maxpool2d flatten linear", (28, 28)),
        (TWO | layer("fc", 7, 64), None, 2 * POOLED + "adaptiveavgpool2d flatten linear", None),
        (NUMBERED | layer("c.1", 7, 16 * 256), None,
         "conv2d relu conv2d batchnorm2d relu maxpool2d flatten linear", (32, 32)),
        (APART | layer("fc", 7, 8 * 64), None, 2 * "conv2d batchnorm2d relu maxpool2d " + "flatten linear", (32, 32)),
        (FIVE | layer("fc", 10, 400), (32, 32), 2 * POOLED + "flatten linear", (32, 32)),
        (FIVE | layer("fc", 10, 400), None, 2 * POOLED + "flatten linear", (20, 20)),
    ],
)  # fmt: skip
def test_the_layers_of_a_plain_network(
    tensors: dict[str, tuple[int, ...]], given: tuple[int, int] | None, found: str, size: tuple[int, int] | None
) -> None:
    plain = plain_networks.propose(tensors, given)
    assert plain is not None
    assert types(plain.candidate.architecture["layers"]) == found
    assert plain.size == size
    assert {name for name in tensors if name.endswith("weight")} == {
        f"{layer['name']}.weight" for layer in plain.candidate.architecture["layers"] if "name" in layer
    }


@pytest.mark.parametrize(
    "tensors",
    [
        TWO | layer("fc", 7, 64 * 48),
        TWO | layer("fc", 7, 63),
        TWO,
        layer("fc", 7, 64),
        layer("conv1", 32, 1, 3, 3) | layer("fc", 7, 32),
        TWO | layer("shortcut", 64, 32, 1, 1) | layer("fc", 7, 64 * 49),
    ],
)
def test_what_is_no_plain_network(tensors: dict[str, tuple[int, ...]]) -> None:
    assert plain_networks.propose(tensors, None) is None
