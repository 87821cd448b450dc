"""The program that saved a file, as far as the file tells; a damaged file tells nothing and breaks nothing."""

import io
import json
import zipfile

import h5py
import pytest

from classifier.admission.formats import origin
from classifier.admission.formats.sniff import Kind


def archive(**members: str) -> io.BytesIO:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as written:
        for name, content in members.items():
            written.writestr(name, content)
    return file


def hdf5(**attributes) -> io.BytesIO:
    file = io.BytesIO()
    with h5py.File(file, "w") as written:
        written.attrs.update(attributes)
    return file


@pytest.mark.parametrize(
    ("file", "kind", "says"),
    [
        (hdf5(keras_version="2.4.0", backend=b"tensorflow"), Kind.HDF5, "saved by Keras 2.4.0 on tensorflow"),
        (hdf5(), Kind.HDF5, origin.NO_VERSION),
        (hdf5(keras_version=[1, 2]), Kind.HDF5, origin.NO_VERSION),
        (
            archive(**{"metadata.json": json.dumps({"keras_version": "3.3.3", "date_saved": "2024-10-27@15:00"})}),
            Kind.ZIP,
            "saved by Keras 3.3.3 on 2024-10-27",
        ),
        (archive(**{"m/data.pkl": "", "m/version": "3\n"}), Kind.ZIP, "archive format 3"),
        (archive(**{"readme.txt": ""}), Kind.ZIP, origin.NO_VERSION),
        (io.BytesIO(b"PK\x03\x04 broken"), Kind.ZIP, origin.NO_VERSION),
        (io.BytesIO(b"\x80"), Kind.TORCH_LEGACY, "before version 1.6"),
    ],
)
def test_a_file_tells_its_origin(file, kind, says) -> None:
    assert says in origin.describe(file, kind)
    assert file.tell() == 0
