"""HDF5 files that point outside, claim sizes that they do not have, or go round for ever."""

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np

from tests.admission.attacks import Bait, add, attack
from tests.admission.attacks.keras_configs import CONFIG, save

Fill = Callable[[h5py.File, Bait], object]


def _inside_h5(kind: str, name: str, fill: Fill, code: str) -> None:
    """The trick in a whole model of the old kind, and the same in the weights of a `.keras` archive."""

    def write(path: Path, bait: Bait) -> None:
        with h5py.File(path, "w", libver="latest") as file:
            file.attrs["model_config"] = CONFIG.decode()
            file.create_group("model_weights")
            fill(file, bait)

    def write_in_archive(path: Path, bait: Bait) -> None:
        inner = path.with_name("inner.h5")
        write(inner, bait)
        save(path, CONFIG, inner.read_bytes())
        inner.unlink()

    add(kind, name, write, code=code)
    add(kind, f"{name}, in .keras", write_in_archive, code=code)


def _external_link(file: h5py.File, bait: Bait) -> None:
    file["model_weights/w"] = h5py.ExternalLink(str(bait.secret), "/")


def _soft_link(file: h5py.File, _bait: Bait) -> None:
    file["model_weights/w"] = h5py.SoftLink("/model_weights/w")


def _virtual(file: h5py.File, bait: Bait) -> None:
    layout = h5py.VirtualLayout(shape=(100,), dtype="u1")
    layout[:] = h5py.VirtualSource(str(bait.secret), "data", shape=(100,))
    file.create_virtual_dataset("model_weights/w", layout)


def _external_storage(file: h5py.File, bait: Bait) -> None:
    file.create_dataset("model_weights/w", (8,), "u1", external=[(str(bait.secret), 0, 8)])


def _external_passwd(file: h5py.File, _bait: Bait) -> None:
    file.create_dataset("model_weights/w", (8,), "u1", external=[("/etc/passwd", 0, 8)])


def _shape_bomb(file: h5py.File, _bait: Bait) -> None:
    file.create_dataset("model_weights/w", (10**6, 10**6), "f4", chunks=(1000, 1000))


def _contiguous_bomb(file: h5py.File, _bait: Bait) -> None:
    file.create_dataset("model_weights/w", (10**9,), "f4")


def _compression_bomb(file: h5py.File, _bait: Bait) -> None:
    file.create_dataset("model_weights/w", data=np.zeros(3 * 10**7, np.float32), compression="gzip", compression_opts=9)


def _many_small_bombs(file: h5py.File, _bait: Bait) -> None:
    for number in range(3000):
        file.create_dataset(f"model_weights/{number}", (250_000,), "f4", chunks=(250_000,))


def _circle(file: h5py.File, _bait: Bait) -> None:
    file["model_weights/again"] = file["/"]


def _deep(file: h5py.File, _bait: Bait) -> None:
    group = file["model_weights"]
    for _level in range(3000):
        group = group.create_group("g")


def _many_groups(file: h5py.File, _bait: Bait) -> None:
    for number in range(30_000):
        file.create_group(f"model_weights/{number % 100}/{number}")


def _texts(file: h5py.File, _bait: Bait) -> None:
    file.create_dataset("model_weights/w", data=["x" * 1000] * 1000, dtype=h5py.string_dtype())


def _references(file: h5py.File, _bait: Bait) -> None:
    file.create_dataset("model_weights/w", data=[file.ref], dtype=h5py.ref_dtype)


def _named_type(file: h5py.File, _bait: Bait) -> None:
    file["model_weights/t"] = np.dtype([("a", "f4"), ("b", "S1000")])


def _long_name(file: h5py.File, _bait: Bait) -> None:
    file.create_dataset("model_weights/" + "../" * 20 + "etc/passwd", data=np.zeros(2, "f4"))


def _filter(file: h5py.File, _bait: Bait) -> None:
    """Filter 32001 would be loaded from a plug-in folder that an environment variable names."""
    created = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    created.set_chunk((10,))
    created.set_filter(32001, h5py.h5z.FLAG_OPTIONAL, ())
    space = h5py.h5s.create_simple((10,))
    h5py.h5d.create(file["model_weights"].id, b"w", h5py.h5t.NATIVE_FLOAT, space, created)


def _scale_offset(file: h5py.File, _bait: Bait) -> None:
    file.create_dataset("model_weights/w", data=np.arange(100), chunks=(10,), scaleoffset=0)


_inside_h5("HDF5 external link", "to a secret", _external_link, "external-link")
_inside_h5("HDF5 soft link", "to itself", _soft_link, "soft-link")
_inside_h5("HDF5 virtual data set", "of a secret", _virtual, "external-data")
_inside_h5("HDF5 external storage", "of a secret", _external_storage, "external-data")
_inside_h5("HDF5 external storage", "of /etc/passwd", _external_passwd, "external-data")
_inside_h5("HDF5 shape bomb", "4 TB of nothing", _shape_bomb, "zip-bomb")
_inside_h5("HDF5 shape bomb", "4 GB of nothing", _contiguous_bomb, "zip-bomb")
_inside_h5("HDF5 shape bomb", "3,000 bombs below the limit", _many_small_bombs, "zip-bomb")
_inside_h5("HDF5 compression bomb", "zeros", _compression_bomb, "zip-bomb")
_inside_h5("HDF5 filter", "from a plug-in", _filter, "compression")
_inside_h5("HDF5 filter", "scale and offset", _scale_offset, "compression")
_inside_h5("HDF5 groups", "a circle", _circle, "")
_inside_h5("HDF5 groups", "3,000 deep", _deep, "too-deep")
_inside_h5("HDF5 groups", "30,000 of them", _many_groups, "")
_inside_h5("HDF5 types", "texts of any length", _texts, "not-numbers")
_inside_h5("HDF5 types", "references", _references, "not-numbers")
_inside_h5("HDF5 types", "a named type", _named_type, "damaged")
_inside_h5("HDF5 names", "../../etc/passwd", _long_name, "")


@attack("HDF5 attribute", code="too-large")
def configuration_of_60_megabytes(path: Path, _bait: Bait) -> None:
    with h5py.File(path, "w", libver="latest") as file:
        file.attrs["model_config"] = " " * (60 * 1024**2)
        file.create_group("model_weights")


@attack("HDF5 attribute")
def ten_thousand_attributes(path: Path, _bait: Bait) -> None:
    with h5py.File(path, "w", libver="latest") as file:
        file.attrs["model_config"] = CONFIG.decode()
        group = file.create_group("model_weights")
        for number in range(10_000):
            group.attrs[f"weight_names{number}"] = "x" * 100


@attack("HDF5 attribute")
def configuration_that_is_an_array(path: Path, _bait: Bait) -> None:
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = np.zeros(1000)
        file.create_group("model_weights")


@attack("HDF5 damage", opened_by="keras")
def every_hundredth_byte_turned_over(path: Path, _bait: Bait) -> None:
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = CONFIG.decode()
        group = file.create_group("model_weights")
        for number in range(50):
            group.create_dataset(f"w{number}", data=np.zeros(100, np.float32))
    content = bytearray(path.read_bytes())
    for place in range(100, len(content), 100):
        content[place] ^= 0xFF
    path.write_bytes(content)
