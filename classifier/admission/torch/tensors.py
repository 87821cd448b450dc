"""The tensors that a PyTorch pickle describes: checked against their storages before any memory is taken for them."""

import math
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Protocol

from classifier.admission.refusal import Refusal, RefusalCode
from classifier.admission.torch.pickle_reader import Persistent, UnresolvedGlobal
from skinsite.sandbox import zip_archives

if TYPE_CHECKING:
    import torch

TOTAL_BYTES = 4 * 1024**3
DIMENSIONS = 16
ITEM_BYTES = {
    **{"float64": 8, "float32": 4, "float16": 2, "bfloat16": 2, "float8_e4m3fn": 1, "float8_e5m2": 1},
    **{"int64": 8, "int32": 4, "int16": 2, "int8": 1, "uint8": 1, "bool": 1},
}
STORAGES = {
    **{"DoubleStorage": "float64", "FloatStorage": "float32", "HalfStorage": "float16", "BFloat16Storage": "bfloat16"},
    **{"LongStorage": "int64", "IntStorage": "int32", "ShortStorage": "int16", "CharStorage": "int8"},
    **{"ByteStorage": "uint8", "BoolStorage": "bool", "UntypedStorage": "uint8"},
}
PLAIN = ("torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_tensor_v3")
WRAPPED = ("torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state")
SUBCLASS = "torch._tensor._rebuild_from_type_v2"  # of a tensor to which somebody gave attributes
HINT = "Save the weights again with torch.save(model.state_dict(), 'model.pth'), and upload that."


@dataclass(frozen=True)
class Described:
    """A tensor that has been checked and not been made; offset and strides count elements of `kind`, a dtype's name."""

    storage: str
    kind: str
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]


@dataclass(frozen=True)
class UnsupportedTensor:
    """A tensor that holds no plain numbers: sparse, quantised, complex, a class of somebody's own."""

    what: str


class Storages(Protocol):
    """Where the numbers lie."""

    def bytes_of(self, key: str) -> int | None:
        """Return a storage's length, None where there is none of this name."""

    def read(self, key: str) -> bytes:
        """Return a storage's bytes. Raises Refusal."""


@dataclass(frozen=True)
class ZipStorages:
    """The members `NAME/data/KEY` of an archive."""

    archive: zipfile.ZipFile
    root: str

    def bytes_of(self, key: str) -> int | None:
        try:
            return self.archive.getinfo(f"{self.root}/data/{key}").file_size
        except KeyError:
            return None

    def read(self, key: str) -> bytes:
        return zip_archives.read(self.archive, f"{self.root}/data/{key}", TOTAL_BYTES)


@dataclass(frozen=True)
class StreamStorages:
    """The storages that follow the pickles of a file of before PyTorch 1.6: place and bytes of each."""

    file: IO[bytes]
    places: Mapping[str, tuple[int, int]]

    def bytes_of(self, key: str) -> int | None:
        return self.places[key][1] if key in self.places else None

    def read(self, key: str) -> bytes:
        place, length = self.places[key]
        self.file.seek(place)
        return self.file.read(length)


def describe(value: Any) -> Described | UnsupportedTensor | None:
    """Return the tensor that an inert value stands for, None where it stands for none. Raises Refusal for a bad one."""
    for _level in range(3):
        if not isinstance(value, UnresolvedGlobal) or value.arguments is None:
            return None
        if value.name == SUBCLASS and len(value.arguments) > 2 and isinstance(value.arguments[0], UnresolvedGlobal):
            value = UnresolvedGlobal(value.arguments[0].name, value.arguments[2])
        elif value.name in WRAPPED and value.arguments:
            value = value.arguments[0]
        else:
            break
    if value.name in PLAIN:
        return _plain(value)
    if value.name.startswith(("torch._utils._rebuild_", "torch._tensor._rebuild_")):
        return UnsupportedTensor(value.name.rpartition("._rebuild_")[2].replace("_", " "))
    return None


def storage_of(value: Any) -> tuple[str, str, int] | None:
    """Return a storage's key, the dtype of its elements and their number, or None where the value is no reference."""
    if not isinstance(value, Persistent) or not isinstance(value.key, tuple) or len(value.key) < 5:
        return None
    what, kind, key, _device, count = value.key[:5]
    name = kind.name.rpartition(".")[2] if isinstance(kind, UnresolvedGlobal) else ""
    if what != "storage" or not isinstance(key, str) or type(count) is not int or count < 0:
        return None
    return key, STORAGES.get(name, name), count


def make(described: Mapping[str, Described], storages: Storages) -> dict[str, "torch.Tensor"]:
    """Return the tensors by name, contiguous and with memory of their own, in the order given. Raises Refusal.

    Each storage is read once; all bounds are checked before the first.
    """
    total = sum(math.prod(one.size) * max(4, ITEM_BYTES[one.kind]) for one in described.values())
    if total > TOTAL_BYTES:
        message = f"The file's tensors take {total:,} bytes of memory; {TOTAL_BYTES:,} is the limit."
        raise Refusal(RefusalCode.TOO_LARGE, message, HINT, check="weights")
    for name, one in described.items():
        _check_bounds(name, one, storages)
    sharing: dict[str, list[str]] = {}
    for name, one in described.items():
        sharing.setdefault(one.storage, []).append(name)
    made: dict[str, torch.Tensor] = {}
    for key, names in sharing.items():
        made |= _cut(key, {name: described[name] for name in names}, storages)
    return {name: made[name] for name in described}


def _plain(value: UnresolvedGlobal) -> Described | UnsupportedTensor:
    arguments = value.arguments or ()
    storage = storage_of(arguments[0]) if len(arguments) >= 4 else None
    if storage is None:
        raise _unsafe("a tensor without a storage")
    key, kind, _count = storage
    if (
        value.name == "torch._utils._rebuild_tensor_v3"
        and len(arguments) > 6
        and isinstance(arguments[6], UnresolvedGlobal)
    ):
        kind = arguments[6].name.removeprefix("torch.")
    if kind not in ITEM_BYTES:
        return UnsupportedTensor(kind or "of an unknown kind")
    offset, size, stride = arguments[1], _shape(arguments[2]), _shape(arguments[3])
    whole = size is not None and stride is not None and len(size) == len(stride) <= DIMENSIONS
    if not whole or type(offset) is not int or not 0 <= offset < 2**40:
        raise _unsafe("a tensor whose size, strides or offset are none")
    return Described(key, kind, offset, size or (), stride or ())


def _shape(value: Any) -> tuple[int, ...] | None:
    if isinstance(value, UnresolvedGlobal) and value.name == "torch.Size" and value.arguments:
        value = value.arguments[0]
    numbers = tuple(value) if isinstance(value, tuple | list) else (None,)
    return numbers if all(type(number) is int and 0 <= number < 2**40 for number in numbers) else None


def _check_bounds(name: str, one: Described, storages: Storages) -> None:
    """A tensor lies inside its storage and repeats nothing: strides of 0 would make much of a few bytes."""
    length = storages.bytes_of(one.storage)
    if length is None:
        raise _truncated(f"the numbers of {name} are missing")
    elements = length // ITEM_BYTES[one.kind]
    count = math.prod(one.size)
    last = one.offset + sum((size - 1) * stride for size, stride in zip(one.size, one.stride, strict=True))
    if count > elements or (count and last >= elements):
        size = " by ".join(map(str, one.size))
        raise _unsafe(f"the tensor {name}, {size}, which reaches beyond the {elements:,} numbers of its storage")


def _cut(key: str, sharing: Mapping[str, Described], storages: Storages) -> dict[str, "torch.Tensor"]:
    import torch

    content = bytearray(storages.read(key))
    if len(content) != storages.bytes_of(key):
        raise _truncated("it ends within its numbers")
    made = {}
    for name, one in sharing.items():
        kind, count = getattr(torch, one.kind), len(content) // ITEM_BYTES[one.kind]
        whole = torch.frombuffer(content, dtype=kind, count=count) if count else torch.empty(0, dtype=kind)
        part = whole.as_strided(one.size, one.stride, one.offset)
        made[name] = part.clone(memory_format=torch.contiguous_format)
    return made


def _unsafe(what: str) -> Refusal:
    return Refusal(RefusalCode.UNSAFE_TENSOR, f"The file describes {what}.", HINT)


def _truncated(what: str) -> Refusal:
    hint = "Upload it again, or download it again from its source."
    return Refusal(RefusalCode.TRUNCATED, f"The file is incomplete or damaged: {what}.", hint, check="weights")
