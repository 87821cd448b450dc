"""Make `classifier/admission/fingerprints.json.gz`: the names and shapes of every classification model of timm,
torchvision and segmentation-models-pytorch, so that a file can be told from them.

    python -m bench.fingerprints            some 20 minutes; run it when one of the three packages changes

A network's fingerprint is a hash of the names and shapes of its body, all but its classifier, so that a file with
another head still has it. Networks with one fingerprint are filled with the same numbers and asked about the same
picture: those that answer alike share a number, `kind`, and are one candidate.
"""

import sys
import warnings
import zlib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import Any
from unittest import mock

import timm
import torch
import torchvision
from segmentation_models_pytorch import encoders
from torch import nn

from classifier.admission.known import fingerprints
from classifier.inference.networks import torch_architectures

COUNT = 1013  # outputs: a number that is no width of any network
LARGEST = 60_000_000  # parameters; above it the numbers are not compared, and each network is a kind of its own
SIDE = 96
RANDOM = ("normal_", "uniform_", "erfinv_")
ARITHMETIC = ("mul_", "add_", "clamp_", "fill_", "zero_")
NOISE = torch.randn(1_000_003, generator=torch.Generator().manual_seed(0))


def main() -> None:
    warnings.simplefilter("ignore")
    torch.set_num_threads(2)
    rows = [row for architecture in architectures() for row in described(architecture)]
    by_body: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        for cut in row["cuts"]:
            group = by_body.setdefault(cut["body"], [])
            group += [row] if row not in group[-1:] else []
    shared = {body: group for body, group in by_body.items() if len(group) > 1}
    for number, (body, group) in enumerate(sorted(shared.items())):
        tell(f"{number} of {len(shared)}: {', '.join(row['architecture']['name'] for row in group)}")
        compare(body, group)
    fingerprints.write(rows, {"timm": timm.__version__, "torchvision": torchvision.__version__.split("+")[0]})
    tell(f"{len(rows)} networks, {len(by_body)} bodies, {fingerprints.PATH.stat().st_size:,} bytes")


def architectures() -> Iterator[dict[str, Any]]:
    for name in torchvision.models.list_models(module=torchvision.models):
        yield {"family": "torchvision", "name": name}
        if name in ("inception_v3", "googlenet"):
            yield {"family": "torchvision", "name": name, "aux_logits": False}
    yield from ({"family": "efficientnet-pytorch", "name": f"efficientnet-b{number}"} for number in range(9))
    yield from ({"family": "smp-encoder", "name": name} for name in sorted(encoders.encoders))
    yield from ({"family": "timm", "name": name} for name in timm.list_models())


def described(architecture: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The row of one architecture; none where it cannot be built."""
    try:
        network = built(architecture, RANDOM + ARITHMETIC)
    except Exception as error:
        tell(f"left out: {architecture['name']}: {' '.join(str(error).split())[:120]}")
        return
    shapes = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    if architecture["family"] == "smp-encoder":
        shapes = {name.removeprefix("encoder."): s for name, s in shapes.items() if name.startswith("encoder.")}
        width = network.encoder.out_channels[-1]
        yield row(architecture, [], [("", width, fingerprints.body(shapes))], network)
        return
    heads = sorted({name.rpartition(".")[0] for name, shape in shapes.items() if shape[:1] == (COUNT,)})
    if heads:
        yield row(architecture, heads, list(cuts(network, shapes, heads)), network)
    else:
        tell(f"left out: {architecture['name']}: no classifier")


def row(
    architecture: dict[str, Any], heads: list[str], found: list[tuple[str, int, str]], network: nn.Module
) -> dict[str, Any]:
    parameters = sum(parameter.numel() for parameter in network.parameters())
    tell(f"{architecture['family']} {architecture['name']}: {parameters:,}")
    cuts = [{"at": at, "features": width, "body": body, "kind": 0} for at, width, body in found]
    return {"architecture": architecture, "heads": heads, "cuts": cuts, "parameters": parameters}


def cuts(network: nn.Module, shapes: Mapping[str, tuple[int, ...]], heads: list[str]) -> Iterator[tuple[str, int, str]]:
    """Where people put another head: in place of the last layer, or of the whole small network that it ends."""
    last = shapes.get(f"{heads[0]}.weight", ())
    single = len(heads) == 1 and len(last) == 2
    yield heads[0] if single else "", last[1] if single else 0, fingerprints.body(shapes, heads)
    at = heads[0]
    while single and "." in at:
        at = at.rpartition(".")[0]
        first = next(name for name in shapes if name.startswith(f"{at}."))
        if not isinstance(network.get_submodule(at), nn.Sequential) or len(shapes[first]) != 2:
            return
        yield at, shapes[first][1], fingerprints.body(shapes, [at])


def built(architecture: dict[str, Any], left_out: tuple[str, ...]) -> nn.Module:
    """A network without the costly first numbers of its layers: nobody looks at them."""
    with ExitStack() as stack:
        for name in left_out:
            stack.enter_context(mock.patch.object(torch.Tensor, name, lambda tensor, *_a, **_k: tensor))
        stack.enter_context(mock.patch.object(nn.init, "trunc_normal_", lambda tensor, *_a, **_k: tensor))
        return torch_architectures.build(architecture, COUNT)


def compare(body: str, group: list[dict[str, Any]]) -> None:
    """Number the kinds of a group, from 0; the first of the group is of kind 0."""
    answers: list[torch.Tensor | None] = []
    for row in group:
        answer = answered(row)
        same = [n for n, known in enumerate(answers) if answer is not None and alike(answer, known)]
        for cut in row["cuts"]:
            if cut["body"] == body:
                cut["kind"] = same[0] if same else len(answers)
        if not same:
            answers.append(answer)


def answered(row: dict[str, Any]) -> torch.Tensor | None:
    """Features or logits for one picture from numbers that depend on names and shapes only."""
    if row["parameters"] > LARGEST:
        return None
    network = built(row["architecture"], RANDOM)
    fill(network)
    side = torch_architectures.fixed_side(network)
    generator = torch.Generator().manual_seed(1)
    picture = torch.randn(1, 3, *((side, side) if side else (SIDE, SIDE)), generator=generator)
    try:
        with torch.inference_mode():
            return torch.as_tensor(network(picture)).double()
    except Exception as error:
        tell(f"no answer: {row['architecture']['name']}: {' '.join(str(error).split())[:120]}")
        return None


def fill(network: nn.Module) -> None:
    """Random numbers of the size that keeps signals alive; they depend on a tensor's name in the body, or its shape."""
    for name, tensor in network.state_dict().items():
        if not tensor.is_floating_point():
            continue
        key = str(tuple(tensor.shape)) if tensor.shape[:1] == (COUNT,) else name.removeprefix("encoder.")
        start = zlib.crc32(key.encode()) % 10_000
        noise = NOISE[start:].repeat(1 + tensor.numel() // len(NOISE[start:]))[: tensor.numel()].view(tensor.shape)
        if name.endswith("running_var"):
            tensor.copy_(0.5 + noise.abs())
        elif tensor.ndim > 1:
            tensor.copy_(noise / max(1.0, float(tensor[0].numel())) ** 0.5)
        else:
            tensor.copy_(0.1 * noise + (1.0 if name.endswith("weight") else 0.0))


def alike(one: torch.Tensor, other: torch.Tensor | None) -> bool:
    if other is None or one.shape != other.shape:
        return False
    return bool((one - other).abs().max() <= 1e-4 * one.abs().max())


def tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
