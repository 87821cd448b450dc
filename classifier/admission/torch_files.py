"""PyTorch files and safetensors from outside: weights only, never a class of somebody else's."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from classifier.admission import archives, pickles
from classifier.admission.archives import Bounds
from classifier.admission.outcome import Refusal
from classifier.admission.sniffing import Kind

if TYPE_CHECKING:
    import torch

Tensors = dict[str, "torch.Tensor"]

BOUNDS = Bounds(members=50_000, total_bytes=4 * 1024**3)
PICKLE_BYTES = 64 * 1024**2
LEGACY_PICKLES = 5  # magic number, protocol, machine, the object, the keys of its storages
WRAPPERS = (
    "state_dict",
    "model_state_dict",
    "model",
    "net",
    "network",
    "weights",
    "params",
    "ema",
    "model_ema",
    "state_dict_ema",
)
PREFIXES = ("module.", "_orig_mod.", "model.", "net.", "network.")
HARMLESS = ("torch._utils._rebuild_", "torch._tensor._rebuild_", "collections.OrderedDict", "collections.defaultdict")
HARMLESS_TORCH = ("Storage", "Size", "device", "dtype")
HINT = "Save only the weights, torch.save(model.state_dict(), 'model.pth'), and upload that with its architecture."


@dataclass(frozen=True)
class Weights:
    """The tensors of one state_dict by name, and a sentence for each thing done to find them."""

    tensors: Tensors
    notes: tuple[str, ...]


def is_torch_archive(names: Iterable[str]) -> bool:
    return any(name.endswith("/data.pkl") and name.count("/") == 1 for name in names)


def read(file: IO[bytes], kind: Kind) -> Weights:
    """Return the float32 and integer tensors of a file, on the processor. Raises Refusal.

    Only `torch.load(weights_only=True)` and safetensors ever open it; what a pickle would call is read beforehand.
    """
    content = _read_safetensors(file) if kind is Kind.SAFETENSORS else _read_pickled(file, kind)
    tensors, notes = _unwrapped(content)
    return _as_float32(tensors, notes)


def without_prefix(tensors: Tensors) -> Iterable[tuple[str, Tensors]]:
    """Yield the tensors under shorter and shorter names, with what was taken off: `module.`, `module.model.`, …"""
    taken = ""
    yield taken, tensors
    while prefix := next((p for p in PREFIXES if all(name.startswith(p) for name in tensors)), None):
        taken += prefix
        tensors = {name.removeprefix(prefix): tensor for name, tensor in tensors.items()}
        yield taken, tensors


def _read_safetensors(file: IO[bytes]) -> Any:
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        return load(file.read())
    except (SafetensorError, ValueError, KeyError) as error:
        message = f"The safetensors file is incomplete or damaged: {_short(error)}"
        raise _refusal("truncated", message, "Upload it again, or download it again from its source.") from error


def _read_pickled(file: IO[bytes], kind: Kind) -> Any:
    _refuse_code(_called_in_zip(file) if kind is Kind.ZIP else _called_in_stream(file, kind))
    file.seek(0)
    import torch

    try:
        return torch.load(file, weights_only=True, map_location="cpu", mmap=False)  # noqa: TID251 (here it may)
    except MemoryError:
        raise
    except Exception as error:
        message = f"PyTorch cannot read the file as weights only: {_short(error)}"
        raise _refusal("damaged", message) from error


def _called_in_zip(file: IO[bytes]) -> list[str]:
    with archives.open_checked(file, BOUNDS) as archive:
        names = archive.namelist()
        if any(name.count("/") >= 1 and name.split("/")[1] in ("code", "constants.pkl") for name in names):
            message = "The file is a TorchScript program (torch.jit.save): code, which the portal does not run."
            raise _refusal("torchscript", message)
        main = next(name for name in names if name.endswith("/data.pkl") and name.count("/") == 1)
        with archive.open(main) as member:
            if archive.getinfo(main).file_size > PICKLE_BYTES:
                raise _refusal("too-large", f"The file's pickle is above the limit of {PICKLE_BYTES:,} bytes.")
            return _called(member)


def _called_in_stream(file: IO[bytes], kind: Kind) -> list[str]:
    file.seek(0)
    count = LEGACY_PICKLES if kind is Kind.TORCH_LEGACY else 1
    return [name for _number in range(count) for name in _called(file)]


def _called(file: IO[bytes]) -> list[str]:
    try:
        return list(pickles.called_names(file))
    except pickles.Damaged as error:
        message = f"The file is incomplete or damaged: its pickle cannot be followed ({_short(error)})."
        raise _refusal("truncated", message, "Upload it again, or download it again from its source.") from error


def _refuse_code(names: list[str]) -> None:
    foreign = next((name for name in names if not _is_harmless(name)), None)
    if foreign is None:
        return
    if _is_model_class(foreign):
        message = f"The file is a whole pickled model: opening it would run the class {foreign}."
        raise _refusal("pickled-model", message)
    message = f"The file is a pickle that would call {foreign}: opening it runs code."
    raise _refusal("unsafe-pickle", message)


def _is_harmless(name: str) -> bool:
    if name.startswith(HARMLESS):
        return True
    module, _dot, last = name.rpartition(".")
    return module in ("torch", "torch.storage") and (last.endswith(HARMLESS_TORCH) or last.islower())


def _is_model_class(name: str) -> bool:
    module, _dot, last = name.rpartition(".")
    return last[:1].isupper() and module not in ("os", "posix", "subprocess", "builtins")


def _unwrapped(content: Any) -> tuple[Tensors, list[str]]:
    """Find the state_dict: the content itself, or one level inside under a usual name."""
    notes: list[str] = []
    for _level in range(3):
        tensors = _tensors_of(content)
        if tensors:
            return tensors, notes
        found = [key for key in WRAPPERS if isinstance(content, Mapping) and isinstance(content.get(key), Mapping)]
        if not found:
            break
        rest = f" (the file also has {', '.join(found[1:])})" if found[1:] else ""
        notes.append(f"the weights are those under “{found[0]}”{rest}")
        content = content[found[0]]
    keys = ", ".join(map(str, list(content)[:10])) if isinstance(content, Mapping) else type(content).__name__
    raise _refusal("no-state-dict", f"The file holds no state_dict: found {keys or 'nothing'}.")


def _tensors_of(content: Any) -> Tensors:
    import torch

    if not isinstance(content, Mapping) or not content:
        return {}
    if not all(isinstance(key, str) for key in content):
        return {}
    tensors = {key: value for key, value in content.items() if isinstance(value, torch.Tensor)}
    return tensors if len(tensors) == len(content) else {}


def _as_float32(tensors: Tensors, notes: list[str]) -> Weights:
    import torch

    plain: Tensors = {}
    converted: set[str] = set()
    for name, tensor in tensors.items():
        if tensor.layout is not torch.strided or tensor.is_quantized or tensor.is_complex():
            raise _refusal("not-numbers", f"The tensor {name} is {tensor.dtype}, {tensor.layout}: not plain numbers.")
        if tensor.is_floating_point() and tensor.dtype is not torch.float32:
            converted.add(str(tensor.dtype).removeprefix("torch."))
            tensor = tensor.to(torch.float32)
        plain[name] = tensor.detach().clone().contiguous()
    if converted:
        notes.append(f"the weights were {', '.join(sorted(converted))} and are kept as float32")
    return Weights(plain, tuple(notes))


def _short(error: Exception) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__


def _refusal(code: str, message: str, hint: str = HINT) -> Refusal:
    return Refusal("weights", code, message, hint)
