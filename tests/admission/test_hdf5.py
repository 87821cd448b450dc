"""No link leaves an HDF5 file, and no data set unpacks to more than it stores."""

import io
from collections.abc import Callable

import h5py
import numpy as np
import pytest

from classifier.admission.formats import hdf5
from classifier.admission.refusal import Refusal


def made(fill: Callable[[h5py.File], object]) -> io.BytesIO:
    file = io.BytesIO()
    with h5py.File(file, "w") as opened:
        fill(opened)
    return file


def virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout(shape=(4,), dtype="f4")
    layout[:] = h5py.VirtualSource("/etc/passwd", "x", shape=(4,))
    file.create_virtual_dataset("weights", layout)


def loop(file: h5py.File) -> None:
    file.create_group("a")["again"] = file["/"]


@pytest.mark.parametrize(
    ("fill", "code"),
    [
        (lambda file: file.__setitem__("x", h5py.ExternalLink("../outside.h5", "/w")), "external-link"),
        (lambda file: file.__setitem__("x", h5py.SoftLink("/elsewhere")), "soft-link"),
        (lambda file: file.create_dataset("x", (4,), "f4", external=[("/etc/passwd", 0, 16)]), "external-data"),
        (virtual, "external-data"),
        (lambda file: file.create_dataset("x", data=["a", "b"], dtype=h5py.string_dtype()), "not-numbers"),
        (lambda file: file.create_dataset("x", (10_000_000,), "f4", chunks=True), "zip-bomb"),
        (lambda file: file.create_dataset("x", (2**40,), "f4", chunks=(1024,)), "zip-bomb"),
        (lambda file: file.create_dataset("x", data=np.zeros(10**7), compression="gzip"), "zip-bomb"),
        (lambda file: file.__setitem__("x", np.dtype("f4")), "damaged"),
    ],
)
def test_a_trick_is_refused(fill: Callable[[h5py.File], object], code: str) -> None:
    with pytest.raises(Refusal) as refusal:
        hdf5.open_checked(made(fill))
    assert refusal.value.problem.code == code


def test_plain_weights_are_taken_and_a_loop_ends() -> None:
    file = made(lambda file: (file.create_dataset("layer/kernel", data=np.ones((3, 3), "f4")), loop(file)))
    opened, sentence = hdf5.open_checked(file)
    assert opened["layer/kernel"][0, 0] == 1
    assert "1 data sets with 36 bytes" in sentence


def test_a_file_cut_short_is_called_incomplete() -> None:
    whole = made(lambda file: file.create_dataset("x", data=np.ones(10_000))).getvalue()
    with pytest.raises(Refusal, match="incomplete"):
        hdf5.open_checked(io.BytesIO(whole[:-4000]))
