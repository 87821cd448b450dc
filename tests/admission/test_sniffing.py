"""A file is known by its first bytes, and each wrong one is called by its name."""

import struct

import pytest

from classifier.admission.outcome import Refusal
from classifier.admission.sniffing import HEAD_BYTES, Kind, sniff

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"a" * 64 + b"\nsize 231233680\n"
SUPERBLOCK = b"\x89HDF\r\n\x1a\n" + bytes(20) + bytes(12) + struct.pack("<Q", 29216)


def refused(head: bytes, size: int | None = None) -> Refusal:
    with pytest.raises(Refusal) as refusal:
        sniff(head, len(head) if size is None else size)
    return refusal.value


@pytest.mark.parametrize(
    ("head", "code", "word"),
    [
        (b"", "empty-file", "0 bytes"),
        (POINTER, "git-lfs-pointer", "231,233,680"),
        (b"\n<!DOCTYPE html><html>", "web-page", "web page"),
        (b"\xef\xbb\xbf<HTML>", "web-page", "web page"),
        (SUPERBLOCK + bytes(10), "truncated", "29,216"),
        (b"#!/usr/bin/env python3\nx", "script", "Python script"),
        (b"import torch\n", "script", "Python script"),
        (b"hello, this is my model", "text", "plain text"),
        (b"\x08\x08\x12\x07pytorch", "onnx", "ONNX"),
        (b"\x1c\x00\x00\x00TFL3", "tflite", "TensorFlow Lite"),
        (b"\x80\x04csklearn.svm\nSVC\n", "sklearn-pickle", "scikit-learn"),
        (b"\xff\xd8\xff\xe0 JFIF", "not-a-model", "JPEG"),
        (bytes(257) + b"ustar" + bytes(200), "not-a-model", "tar archive"),
        (b"\xfe\xdc\xba\x98" * 20, "unknown-format", "80 bytes"),
    ],
)
def test_what_is_no_model_is_called_by_its_name(head: bytes, code: str, word: str) -> None:
    refusal = refused(head)
    assert refusal.problem.code == code
    assert word in refusal.problem.message
    assert refusal.problem.hint


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"PK\x03\x04", Kind.ZIP),
        (SUPERBLOCK + bytes(29216), Kind.HDF5),
        (b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.", Kind.TORCH_LEGACY),
        (b"\x80\x04\x95abc", Kind.PICKLE),
        (b"cposix\nsystem\n(S'id'\ntR.", Kind.PICKLE),
        (struct.pack("<Q", 64) + b'{"w":{"dtype"', Kind.SAFETENSORS),
    ],
)
def test_what_may_be_a_model_goes_to_the_child(head: bytes, kind: Kind) -> None:
    assert sniff(head[:HEAD_BYTES], len(head)) is kind
