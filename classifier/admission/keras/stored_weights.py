"""The weights that a Keras HDF5 file holds, by the names that it gives them, in either layout."""

import itertools
from dataclasses import dataclass
from typing import Any

import h5py

from classifier.admission.refusal import Refusal, RefusalCode

# The state of random generators, which Keras 2 keeps among an augmentation layer's weights.
GENERATORS = ("StateVar", "Variable", "rng_state", "seed_generator_state")


@dataclass(frozen=True)
class Stored:
    """One array of the file: in the group of the top layer `top`, called `path`, with the last part `name`.

    `place` is the group of a file of Keras 3, which has the layer's class and number: `layers/conv2d_10`.
    """

    top: str
    path: tuple[str, ...]
    name: str
    data: h5py.Dataset
    place: str = ""

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.data.shape)


def read(group: h5py.Group) -> list[Stored]:
    """Return what the group holds, in the file's order. Raises Refusal where names and arrays do not agree."""
    found = []
    for top in _texts(group, "layer_names"):
        if top not in group:
            raise refusal(RefusalCode.DAMAGED, f"The file names the layer “{top}” and has no weights of it.")
        for full in _texts(group[top], "weight_names"):
            if full not in group[top]:
                raise refusal(RefusalCode.DAMAGED, f"The file names the weight “{full}” and does not have it.")
            parts = full.split(":")[0].split("/")
            found.append(Stored(top.replace("/", "_"), tuple(parts[:-1]), parts[-1], group[top][full]))
    return [stored for stored in found if not _is_state(stored)]


def read_new(file: h5py.Group) -> list[Stored]:
    """The same for the layout of Keras 3, whose groups `vars` have their layer's name, and numbers for arrays.

    HDF5 lists groups by the alphabet, `conv2d_10` before `conv2d_2`: their order says nothing.
    """
    found: list[Stored] = []

    def visit(path: str, item: Any) -> None:
        if isinstance(item, h5py.Group) and path.endswith("/vars") and len(item):
            name = _text(item.attrs.get("name", ""))
            if not name:
                raise refusal(RefusalCode.OLD_WEIGHTS_LAYOUT, f"The weights at {path} do not say whose they are.")
            where = path.removesuffix("/vars")
            found.extend(Stored(name, (), key, item[key], where) for key in sorted(item, key=int))

    file.visititems(visit)
    return [stored for stored in found if stored.data.dtype.kind == "f"]


def is_named(group: h5py.Group) -> bool:
    """Whether the group has the old layout, with the layers' names in its attributes."""
    return "layer_names" in group.attrs or "layer_names0" in group.attrs


def tops(group: h5py.Group) -> list[str]:
    """The names of the outermost layers that have weights, in the file's order."""
    return [top for top in _texts(group, "layer_names") if top in group and len(_texts(group[top], "weight_names"))]


def _is_state(stored: Stored) -> bool:
    return stored.name.startswith(GENERATORS) and stored.data.dtype.kind in "iu"


def _texts(group: h5py.Group, name: str) -> list[str]:
    """Read a list of texts; Keras cuts one that is too long for HDF5 into `name0`, `name1`, …"""
    if name in group.attrs:
        return [_text(entry) for entry in group.attrs[name]]
    texts: list[str] = []
    for number in itertools.count():
        if f"{name}{number}" not in group.attrs:
            return texts
        texts.extend(_text(entry) for entry in group.attrs[f"{name}{number}"])
    return texts


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def refusal(code: RefusalCode, message: str) -> Refusal:
    hint = "The description and the weights do not belong together: save the whole model again where it works."
    return Refusal(code, message, hint, check="weights")
