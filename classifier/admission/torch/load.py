"""PyTorch files and safetensors from outside: tensors by name, and nothing that a pickle would call."""

import io
import zipfile
from collections.abc import Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from classifier.admission.formats.sniff import Kind
from classifier.admission.refusal import Refusal, RefusalCode
from classifier.admission.torch import pickle_reader, state_dict, unsafe_globals
from classifier.admission.torch import tensors as torch_tensors
from classifier.admission.torch.tensors import Storages, StreamStorages, ZipStorages
from skinsite.sandbox import zip_archives
from skinsite.sandbox.zip_archives import Bounds

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch

Tensors = dict[str, "torch.Tensor"]

BOUNDS = Bounds(members=50_000, total_bytes=4 * 1024**3)
DESCRIPTIONS = 3  # before the object of an old file: its magic number, protocol and machine
COUNT_BYTES = 8  # before the numbers of each storage of an old file
FOREIGN_SHOWN = 5
HINT = state_dict.HINT


@dataclass(frozen=True)
class Weights:
    """The tensors of one state_dict by name, and a sentence for each thing done to find them."""

    tensors: Tensors
    notes: tuple[str, ...]


def is_torch_archive(names: Iterable[str]) -> bool:
    return any(name.endswith("/data.pkl") and name.count("/") == 1 for name in names)


def read(file: IO[bytes], kind: Kind) -> Weights:
    """Return the float32 and integer tensors of a file, on the processor. Raises Refusal.

    A pickle is read by an unpickler of our own that runs nothing; memory is taken for the tensors that are wanted, once
    their places have been checked.
    """
    if kind is Kind.SAFETENSORS:
        return _as_float32(_read_safetensors(file), [])
    with _opened(file, kind) as (pickled, storages):
        _refuse_code(pickled.names)
        found = state_dict.find(pickled.value)
        notes = list(found.notes)
        if foreign := unsafe_globals.foreign(pickled.names):
            more = f" and {len(foreign) - FOREIGN_SHOWN} more" if len(foreign) > FOREIGN_SHOWN else ""
            notes.append(f"left aside, and never imported: {', '.join(foreign[:FOREIGN_SHOWN])}{more}")
        return _as_float32(torch_tensors.make(found.tensors, storages), notes)


def _read_safetensors(file: IO[bytes]) -> Tensors:
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        tensors: Tensors = load(file.read())
    except (SafetensorError, ValueError, KeyError) as error:
        raise _damaged(f"the safetensors file is incomplete: {_short(error)}") from error
    kept = {name: tensor for name, tensor in tensors.items() if not state_dict.is_ballast(name)}
    if not kept:
        raise _refusal(RefusalCode.NO_STATE_DICT, "The file holds no tensors.")
    return kept


@contextmanager
def _opened(file: IO[bytes], kind: Kind) -> "Iterator[tuple[pickle_reader.Pickled, Storages]]":
    if kind is not Kind.ZIP:
        yield _read_stream(file, kind)
        return
    with zip_archives.open_checked(file, BOUNDS) as archive:
        yield _read_archive(archive)


def _read_archive(archive: zipfile.ZipFile) -> tuple[pickle_reader.Pickled, Storages]:
    names = archive.namelist()
    if any(name.count("/") >= 1 and name.split("/")[1] in ("code", "constants.pkl") for name in names):
        message = "The file is a TorchScript program (torch.jit.save): code, which the portal does not run."
        raise _refusal(RefusalCode.TORCHSCRIPT, message)
    main = next(name for name in names if name.endswith("/data.pkl") and name.count("/") == 1)
    root = main.partition("/")[0]
    if f"{root}/byteorder" in names and zip_archives.read(archive, f"{root}/byteorder", 16) == b"big":
        raise _refusal(RefusalCode.BIG_ENDIAN, "The file was saved on a big-endian machine, in another order of bytes.")
    if archive.getinfo(main).file_size > pickle_reader.BYTES:
        raise _refusal(RefusalCode.TOO_LARGE, f"The file's pickle is above the limit of {pickle_reader.BYTES:,} bytes.")
    return _unpickled(io.BytesIO(zip_archives.read(archive, main, pickle_reader.BYTES))), ZipStorages(archive, root)


def _read_stream(file: IO[bytes], kind: Kind) -> tuple[pickle_reader.Pickled, Storages]:
    """A bare pickle, or a file of before PyTorch 1.6: pickles, then a length and the numbers of each storage."""
    file.seek(0)
    if kind is Kind.PICKLE:
        return _unpickled(file), StreamStorages(file, {})
    for _description in range(DESCRIPTIONS):
        _refuse_code(_unpickled(file).names)
    pickled, keys = _unpickled(file), _unpickled(file)
    _refuse_code(keys.names)
    kinds = {found[0]: found[1] for found in map(torch_tensors.storage_of, pickled.references) if found}
    place = file.tell()
    end = file.seek(0, io.SEEK_END)
    places: dict[str, tuple[int, int]] = {}
    for key in keys.value if isinstance(keys.value, list) else []:
        if not isinstance(key, str) or kinds.get(key) not in torch_tensors.ITEM_BYTES:
            raise _damaged("the kind of its numbers is not known")
        file.seek(place)
        count = int.from_bytes(file.read(COUNT_BYTES), "little", signed=True)
        length = count * torch_tensors.ITEM_BYTES[kinds[key]]
        if count < 0 or place + COUNT_BYTES + length > end:
            raise _damaged("it ends within its numbers")
        places[key] = (place + COUNT_BYTES, length)
        place += COUNT_BYTES + length
    return pickled, StreamStorages(file, places)


def _unpickled(file: IO[bytes]) -> pickle_reader.Pickled:
    try:
        return pickle_reader.read(file)
    except pickle_reader.TooLarge as error:
        raise _refusal(RefusalCode.TOO_LARGE, f"The file is too large: {error}.") from error
    except pickle_reader.Damaged as error:
        raise _damaged(f"its pickle cannot be followed ({_short(error)})") from error


def _refuse_code(names: Iterable[str]) -> None:
    if name := unsafe_globals.unsafe(names):
        message = f"The file is a pickle that would call {name}: opening it elsewhere runs code."
        raise _refusal(
            RefusalCode.UNSAFE_PICKLE, message, "Do not open this file in Python; ask its author for the weights only."
        )


def _as_float32(tensors: Tensors, notes: list[str]) -> Weights:
    import torch

    plain: Tensors = {}
    converted: set[str] = set()
    for name, tensor in tensors.items():
        if tensor.is_complex():
            raise _refusal(RefusalCode.NOT_NUMBERS, f"The tensor {name} is {tensor.dtype}: not plain numbers.")
        if tensor.is_floating_point() and tensor.dtype is not torch.float32:
            converted.add(str(tensor.dtype).removeprefix("torch."))
            tensor = tensor.to(torch.float32)
        plain[name] = tensor
    if converted:
        notes.append(f"the weights were {', '.join(sorted(converted))} and are kept as float32")
    return Weights(plain, tuple(notes))


def _damaged(what: str) -> Refusal:
    hint = "Upload it again, or download it again from its source."
    return _refusal(RefusalCode.TRUNCATED, f"The file is incomplete or damaged: {what}.", hint)


def _short(error: Exception) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__


def _refusal(code: RefusalCode, message: str, hint: str = HINT) -> Refusal:
    return Refusal(code, message, hint, check="weights")
