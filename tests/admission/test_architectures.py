"""Only what an honest child proposes may come back from one, and the table belongs to the installed packages."""

import gzip
import json
from importlib import metadata
from typing import Any

import pytest

from classifier.admission.known import architectures, fingerprints

LINEAR = {"type": "linear", "name": "0", "out": 8}


def test_the_table_was_made_from_the_installed_packages_and_is_small() -> None:
    versions = json.loads(gzip.decompress(fingerprints.PATH.read_bytes()))["versions"]
    assert versions == {name: metadata.version(name) for name in versions}
    assert fingerprints.PATH.stat().st_size < 1_000_000
    assert len(fingerprints.table()) > 1_400


@pytest.mark.parametrize(
    "architecture",
    [
        None,
        {"family": "timm", "name": "efficientnet_b0"},
        {"family": "torchvision", "name": "inception_v3", "aux_logits": False},
        {"family": "torchvision", "name": "resnet18", "head": {"at": "fc", "layers": [LINEAR, {"type": "relu"}]}},
        {"family": "smp-encoder", "name": "resnet18", "head": {"pool": "avg", "layers": [LINEAR]}},
        {"family": "layers", "layers": [{"type": "conv2d", "name": "f.0", "out": 8, "kernel": 3, "bias": False}]},
    ],
)
def test_what_may_be_proposed(architecture: Any) -> None:
    assert architectures.may_be_proposed(architecture)


@pytest.mark.parametrize(
    "architecture",
    [
        {},
        {"family": "timm", "name": "hf-hub:someone/model"},
        {"family": "timm", "name": "efficientnet_b0", "pretrained": True},
        {"family": "torchvision", "name": "resnet18", "head": {"at": "layer1", "layers": [LINEAR]}},
        {"family": "torchvision", "name": "resnet18", "head": {"at": "fc", "layers": [{"type": "linear", "out": "8"}]}},
        {"family": "torchvision", "name": "resnet18", "head": [LINEAR]},
        {"family": "layers", "layers": [{"type": "conv2d", "name": "../x y"}]},
        {"family": "layers", "layers": [{"type": "relu"}] * 501},
        {"family": "layers", "layers": [{"type": "relu", "path": "x"}]},
    ],
)
def test_what_may_not_be_proposed(architecture: Any) -> None:
    assert not architectures.may_be_proposed(architecture)


@pytest.mark.parametrize(
    ("added", "kept"),
    [
        ({}, True),
        ({"head": {"at": "fc", "layers": [LINEAR]}}, True),
        ({"aux_logits": False}, True),
        ({"name": "resnet34"}, False),
        ({"pretrained": True}, False),
        ({"head": {"at": "fc", "path": "x"}}, False),
    ],
)
def test_a_given_architecture_is_kept_and_may_get_a_head(added: dict[str, Any], kept: bool) -> None:
    given = {"family": "torchvision", "name": "resnet18"}
    assert architectures.completes(given, {**given, **added}) is kept


def test_a_given_head_is_kept() -> None:
    given = {"family": "smp-encoder", "name": "resnet18", "head": {"pool": "max", "dropout": 0.3}}
    assert architectures.completes(given, given)
    assert not architectures.completes(given, {**given, "head": {"pool": "avg", "dropout": 0.3}})
