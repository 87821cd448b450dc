"""What a PyTorch file holds is found and read exactly, and a bad one is refused before it takes memory."""

import argparse
import io
import pickle
import zipfile
from typing import Any

from classifier.admission.formats.sniff import Kind
from classifier.admission.refusal import Refusal
from classifier.admission.torch import pickle_reader
from tests.conftest import InProcess


def state() -> dict[str, Any]:
    import torch

    generator = torch.Generator().manual_seed(0)
    whole = torch.randn(4, 3, 5, 5, generator=generator)
    return {
        "conv.weight": whole.to(memory_format=torch.channels_last),
        "conv.bias": whole.flatten()[7:11],  # a view into another's storage
        "fc.weight": torch.randn(6, 4, generator=generator).t(),
        "steps": torch.tensor(12),
        "empty": torch.zeros(0, 3),
    }


def saved(content: Any, *, legacy: bool = False) -> bytes:
    import torch

    file = io.BytesIO()
    torch.save(content, file, _use_new_zipfile_serialization=not legacy)
    return file.getvalue()


def read(content: bytes, kind: Kind = Kind.ZIP) -> tuple[list[str], tuple[str, ...], bool]:
    """The tensors' names, what was said, and whether all are those of `state`."""
    import torch

    from classifier.admission.torch import load

    weights = load.read(io.BytesIO(content), kind)
    same = all(torch.equal(tensor, state()[name]) for name, tensor in weights.tensors.items() if name in state())
    return list(weights.tensors), weights.notes, same


def code_of(content: bytes, kind: Kind = Kind.ZIP) -> str:
    try:
        return str(read(content, kind)[0])
    except Refusal as refusal:
        return refusal.problem.code


def honest_files() -> list[tuple[list[str], tuple[str, ...], bool]]:
    import numpy as np
    import torch

    network = torch.nn.Linear(4, 2)
    optimizer = torch.optim.AdamW(network.parameters())
    network(torch.ones(1, 4)).sum().backward()
    optimizer.step()
    checkpoint = {
        "epoch": np.int64(3),
        "state_dict": {**state(), "total_ops": torch.zeros(1), "criterion.weight": torch.ones(2)},
        "optimizer": optimizer.state_dict(),
        "hyper_parameters": argparse.Namespace(rate=np.float32(0.1), path=__file__),
        "callbacks": {"history": [0.1] * 100, "generator": np.random.default_rng(0)},
    }
    parameters = {name: torch.nn.Parameter(tensor) for name, tensor in state().items() if name != "steps"}
    return [
        read(saved(state())),
        read(saved(state(), legacy=True), Kind.TORCH_LEGACY),
        read(saved(checkpoint)),
        read(saved(checkpoint, legacy=True), Kind.TORCH_LEGACY),
        read(saved({"anything": {"deep": state()}})),
        read(saved(parameters)),
    ]


def test_honest_files_are_read_to_the_last_number(in_torch: InProcess) -> None:
    bare, old, checkpoint, old_checkpoint, deep, parameters = in_torch(honest_files)
    for names, _notes, same in (bare, old, checkpoint, old_checkpoint, deep):
        assert names == ["conv.weight", "conv.bias", "fc.weight", "steps", "empty"]
        assert same
    assert parameters[2]
    assert (bare[1], old[1]) == ((), ())
    for notes in (checkpoint[1], old_checkpoint[1]):
        assert notes[0] == "the weights are those under “state_dict”"
        assert notes[1] == "no part of the network, and left aside: total_ops, criterion.weight"
        assert "never imported: _codecs.encode, argparse.Namespace" in notes[2]
    assert deep[1][1] == "the weights are those under “deep”"


class Tensor:
    """Pickled as a tensor of a storage of 4 numbers, with any size and stride."""

    def __init__(self, size: Any, stride: Any, offset: Any = 0) -> None:
        self.arguments = (Storage(), offset, size, stride, False, {})

    def __reduce__(self) -> tuple[Any, ...]:
        from torch._utils import _rebuild_tensor_v2

        return _rebuild_tensor_v2, self.arguments


class Storage:
    pass


class Pickler(pickle.Pickler):
    def persistent_id(self, thing: Any) -> Any:
        import torch

        return ("storage", torch.FloatStorage, "0", "cpu", 4) if isinstance(thing, Storage) else None


def crafted(content: Any) -> bytes:
    described, file = io.BytesIO(), io.BytesIO()
    Pickler(described, 2).dump(content)
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("model/data.pkl", described.getvalue())
        archive.writestr("model/data/0", bytes(16))
    return file.getvalue()


def cut_in_storages(after: int) -> bytes:
    """An old file that ends so many bytes after its last pickle."""
    content = saved(state(), legacy=True)
    file = io.BytesIO(content)
    for _part in range(5):
        pickle_reader.read(file)
    return content[: file.tell() + after]


def hostile_files() -> dict[str, str]:
    import torch

    shared: dict[str, Any] = {}
    for _level in range(30):
        shared = {str(number): shared for number in range(100)}
    module = torch.nn.Linear(2, 2)
    return {
        "sound": code_of(crafted({"w": Tensor((2, 2), (2, 1))})),
        "beyond": code_of(crafted({"w": Tensor((2, 3), (3, 1))})),
        "strides": code_of(crafted({"w": Tensor((2, 2), (10**9, 1))})),
        "offset": code_of(crafted({"w": Tensor((2,), (1,), 3)})),
        "negative": code_of(crafted({"w": Tensor((2, -2), (2, 1))})),
        "repeated": code_of(crafted({"w": Tensor((10**4, 10**4), (0, 0))})),
        "enormous": code_of(crafted({"w": Tensor((10**9, 10**9), (0, 0))})),
        "words": code_of(crafted({"w": Tensor(("a",), (1,))})),
        "many": code_of(crafted({str(number): Tensor((4,), (1,)) for number in range(20_000)}))[:10],
        "web of dicts": code_of(saved(shared)),
        "cut": code_of(saved(state(), legacy=True)[:-40], Kind.TORCH_LEGACY),
        "cut within a count": code_of(cut_in_storages(5), Kind.TORCH_LEGACY),
        "cut before the last storages": code_of(cut_in_storages(20), Kind.TORCH_LEGACY),
        "sparse": code_of(saved({"w": torch.eye(3).to_sparse(), "b.weight": torch.ones(2)})),
        "complex": code_of(saved({"w": torch.ones(2, dtype=torch.complex64)})),
        "module": code_of(saved(module)),
        "module inside": code_of(saved({"model": module, "epoch": 1})),
        "two networks": code_of(saved({"teacher": state(), "student": state()})),
        "nothing": code_of(saved({"epoch": 1})),
    }


def test_a_hostile_or_useless_file_gets_its_answer(in_torch: InProcess) -> None:
    assert in_torch(hostile_files) == {
        "sound": "['w']",
        **dict.fromkeys(("beyond", "strides", "offset", "negative", "repeated", "words"), "unsafe-tensor"),
        "enormous": "too-large",
        "many": "['0', '1',",
        "web of dicts": "no-state-dict",
        **dict.fromkeys(("cut", "cut within a count", "cut before the last storages"), "truncated"),
        "sparse": "not-numbers",
        "complex": "not-numbers",
        "module": "pickled-model",
        "module inside": "pickled-model",
        "two networks": "several-state-dicts",
        "nothing": "no-state-dict",
    }
