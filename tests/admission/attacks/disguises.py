"""Things that are no model at all, under a model's name; and names that are no file."""

import gzip
import os
import socket
import struct
from pathlib import Path

from tests.admission.attacks import Bait, add, attack

DISGUISE = "something else under a model's name"
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"a" * 64 + b"\nsize 98765432\n"
for label, content, code in (
    ("a Git LFS pointer", POINTER, "git-lfs-pointer"),
    ("a web page", b"<!DOCTYPE html><script>alert(1)</script>", "web-page"),
    ("a Python script", b"import os\nos.system('id')\n", "script"),
    ("a shell script", b"#!/bin/sh\nid\n", "script"),
    ("a Linux program", b"\x7fELF\x02\x01\x01" + bytes(500), ""),
    ("a Windows program", b"MZ" + bytes(500), ""),
    ("a PDF", b"%PDF-1.7\n" + bytes(500), ""),
    ("a picture", b"\xff\xd8\xff\xe0" + bytes(500), ""),
    ("an ONNX model", b"\x08\x08\x12\x07pytorch\x1a\x032.0" + bytes(500), "onnx"),
    ("a TensorFlow Lite model", b"\x1c\x00\x00\x00TFL3" + bytes(500), "tflite"),
    ("a language model", b"GGUF" + bytes(500), ""),
    ("nothing", b"", "empty-file"),
    ("random bytes", bytes(range(256)) * 4, ""),
    ("the first 8 bytes of HDF5", b"\x89HDF\r\n\x1a\n", ""),
    ("the first 4 bytes of a zip", b"PK\x03\x04", "truncated"),
    ("the first 2 bytes of a pickle", b"\x80\x04", ""),
):
    add(DISGUISE, label, lambda path, _bait, content=content: _write(path, content), code=code)


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


@attack(DISGUISE)
def gzip_bomb(path: Path, _bait: Bait) -> None:
    path.write_bytes(gzip.compress(bytes(100_000_000)))


@attack(DISGUISE)
def hdf5_that_is_also_a_zip(path: Path, _bait: Bait) -> None:
    path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(504) + b"PK\x03\x04" + bytes(100) + b"PK\x05\x06" + bytes(18))


@attack(DISGUISE)
def superblock_of_another_version(path: Path, _bait: Bait) -> None:
    path.write_bytes(b"\x89HDF\r\n\x1a\n\xff" + bytes(31) + struct.pack("<Q", 2**63) + bytes(1000))


@attack("name that is no file", code="no-file")
def pipe_that_nobody_writes(path: Path, _bait: Bait) -> None:
    os.mkfifo(path)


@attack("name that is no file", code="no-file")
def link_to_a_secret(path: Path, bait: Bait) -> None:
    path.symlink_to(bait.secret)


@attack("name that is no file", code="no-file")
def link_to_an_endless_device(path: Path, _bait: Bait) -> None:
    path.symlink_to("/dev/zero")


@attack("name that is no file", code="no-file")
def socket_of_somebody(path: Path, _bait: Bait) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))


@attack("name that is no file", code="no-file")
def folder(path: Path, _bait: Bait) -> None:
    path.mkdir()
