"""HDF5 files from outside: every link, data set and size is looked at before any weight is read."""

from collections.abc import Iterator
from typing import IO, Any

import h5py

from classifier.admission.refusal import Refusal, RefusalCode

MAX_OBJECTS = 200_000
MAX_DEPTH = 64
MAX_BYTES = 4 * 1024**3
MAX_RATIO = 200
RATIO_FREE_BYTES = 1024**2
NUMBERS = "fiub"
HINT = "Save the model again with Keras (model.save('model.keras')) and upload that file as it is."


def open_checked(file: IO[bytes]) -> tuple[h5py.File, str]:
    """Open an HDF5 file without links out of it and without bombs; return it and a sentence with its size.

    Raises Refusal. The file is read through the given object: HDF5 never opens a path.
    """
    try:
        opened = h5py.File(file, "r")
    except (OSError, ValueError, RuntimeError) as error:
        hint = "Upload it again, or download it again from its source."
        if "truncated" in str(error):
            raise _refusal(RefusalCode.TRUNCATED, f"The file is incomplete: {_short(error)}", hint) from error
        raise _refusal(RefusalCode.DAMAGED, f"The HDF5 file cannot be opened: {_short(error)}", hint) from error
    try:
        return opened, _walk(opened)
    except (OSError, KeyError, ValueError, RuntimeError, TypeError) as error:
        raise _refusal(RefusalCode.DAMAGED, f"The HDF5 file is damaged: {_short(error)}", HINT) from error


def _walk(file: h5py.File) -> str:
    groups, datasets, total, stored = 0, 0, 0, 0
    for item in _objects(file):
        if isinstance(item, h5py.Dataset):
            total += _check_dataset(item)
            stored += item.id.get_storage_size()
            datasets += 1
        else:
            groups += 1
        if groups + datasets > MAX_OBJECTS:
            raise _refusal(RefusalCode.TOO_MANY_MEMBERS, f"The HDF5 file has more than {MAX_OBJECTS:,} objects.")
        if total > MAX_BYTES:
            raise _refusal(RefusalCode.TOO_LARGE, f"The HDF5 file's data sets have more than {MAX_BYTES:,} bytes.")
    if total > RATIO_FREE_BYTES and total > MAX_RATIO * stored:
        raise _refusal(
            RefusalCode.ZIP_BOMB, f"The HDF5 file's data sets claim {total:,} bytes and store {stored:,} of them."
        )
    return f"{groups:,} groups and {datasets:,} data sets with {total:,} bytes, no link leaves the file"


def _objects(root: h5py.Group) -> Iterator[Any]:
    """Yield each group and data set once; a hard link to a group above would go round for ever."""
    seen: set[Any] = set()
    waiting = [(root, 0)]
    while waiting:
        group, depth = waiting.pop()
        address = h5py.h5o.get_info(group.id).addr
        if address in seen:
            continue
        seen.add(address)
        if depth > MAX_DEPTH:
            raise _refusal(RefusalCode.TOO_DEEP, f"The HDF5 file's groups are nested more than {MAX_DEPTH} deep.")
        yield group
        for name in group:
            _check_link(group, name)
            item = group[name]
            if isinstance(item, h5py.Group):
                waiting.append((item, depth + 1))
            elif isinstance(item, h5py.Dataset):
                yield item
            else:
                raise _refusal(RefusalCode.DAMAGED, f"The HDF5 object {name!r} is neither a group nor a data set.")


def _check_link(group: h5py.Group, name: str) -> None:
    link = group.get(name, getlink=True)
    if isinstance(link, h5py.ExternalLink):
        message = f"The HDF5 link {group.name}/{name} leads out of the file, to {link.filename!r}."
        raise _refusal(RefusalCode.EXTERNAL_LINK, message)
    if not isinstance(link, h5py.HardLink):
        raise _refusal(RefusalCode.SOFT_LINK, f"The HDF5 object {group.name}/{name} is a soft link; Keras writes none.")


def _check_dataset(dataset: h5py.Dataset) -> int:
    """Return the data set's bytes when read."""
    if dataset.external or dataset.is_virtual:
        raise _refusal(
            RefusalCode.EXTERNAL_DATA, f"The HDF5 data set {dataset.name} keeps its numbers in another file."
        )
    if dataset.dtype.kind not in NUMBERS or dataset.dtype.hasobject:
        raise _refusal(
            RefusalCode.NOT_NUMBERS, f"The HDF5 data set {dataset.name} holds {dataset.dtype}, not plain numbers."
        )
    _check_filters(dataset)
    size = int(dataset.size or 0) * int(dataset.dtype.itemsize)
    if size > RATIO_FREE_BYTES and size > MAX_RATIO * dataset.id.get_storage_size():
        message = f"The HDF5 data set {dataset.name} claims {size:,} bytes and stores next to nothing of them."
        raise _refusal(RefusalCode.ZIP_BOMB, message)
    return size


def _check_filters(dataset: h5py.Dataset) -> None:
    created = dataset.id.get_create_plist()
    known = {h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_FLETCHER32, h5py.h5z.FILTER_LZF}
    for number in range(created.get_nfilters()):
        code = created.get_filter(number)[0]
        if code not in known:
            raise _refusal(RefusalCode.COMPRESSION, f"The HDF5 data set {dataset.name} is packed by the filter {code}.")


def _short(error: Exception) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__


def _refusal(code: RefusalCode, message: str, hint: str = HINT) -> Refusal:
    return Refusal(code, message, hint, check="hdf5")
