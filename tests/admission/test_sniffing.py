"""A file is known by its first bytes, and each wrong one is called by its name."""

import struct

import pytest

from classifier.admission.formats import unsupported
from classifier.admission.formats.sniff import HEAD_BYTES, Kind, sniff
from classifier.admission.refusal import Refusal

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
        (POINTER, "git-lfs-pointer", f"of {len(POINTER)} bytes"),
        (b"#!/bin/sh\nls\n", "script", "a script"),
        (b'{"cells": [], "nbformat": 4}', "script", "notebook"),
        (b'{"class_name": "Sequential", "config": {}}', "json", "without its weights"),
        (b'{"a": 1}', "json", "JSON"),
        (b"image,label\nISIC_1,mel\n", "text", "table (CSV)"),
        (b"<?xml version='1.0'?>", "text", "XML"),
        (b'model_checkpoint_path: "model.ckpt-1"\n', "text", "checkpoint"),
        (b"\x89PNG\r\n", "not-a-model", "PNG"),
        (b"II*\x00" + bytes(20), "not-a-model", "TIFF"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "not-a-model", "WebP"),
        (bytes(128) + b"DICM", "not-a-model", "DICOM"),
        (b"\x1f\x8b\x08", "not-a-model", "gzip"),
        (b"x\x9c" + bytes(range(128, 160)), "not-a-model", "joblib"),
        (b"%PDF-1.7", "not-a-model", "PDF"),
        (b"\x7fELF", "not-a-model", "Linux program"),
        (b"MZ\x90\x00", "not-a-model", "Windows program"),
        (b"GGUF\x03\x00", "not-a-model", "GGUF"),
        (b"\x93NUMPY\x01\x00", "not-a-model", "NumPy"),
        (b"PK\x05\x06" + bytes(18), "not-a-model", "empty zip"),
        (b"\x08\x01\x12\xd4\x9a\x03" + b"\x0a\x10serve", "saved-model", "SavedModel"),
        (b"\x0a\x3a\x0a\x07input_1\x12\x0bPlaceholder*\x0b", "frozen-graph", "frozen"),
        (b"\x89HDF\r\n\x1a\n", "truncated", "48"),
        (b"\x80\x04", "truncated", "2 came"),
        (struct.pack("<Q", 5000) + b'{"w":', "truncated", "5,008"),
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
        (b"PK\x03\x04" + bytes(30), Kind.ZIP),
        (SUPERBLOCK + bytes(29216), Kind.HDF5),
        (b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.", Kind.TORCH_LEGACY),
        (b"\x80\x04\x95abc", Kind.PICKLE),
        (b"cposix\nsystem\n(S'id'\ntR.", Kind.PICKLE),
        (struct.pack("<Q", 64) + b'{"w":{"dtype"' + b" " * 64, Kind.SAFETENSORS),
    ],
)
def test_what_may_be_a_model_goes_to_the_child(head: bytes, kind: Kind) -> None:
    assert sniff(head[:HEAD_BYTES], len(head)) is kind


@pytest.mark.parametrize(
    ("names", "word", "hint"),
    [
        (["net/best.pth", "readme.md"], "around a model", "net/best.pth"),
        (["m/saved_model.pb", "m/variables/variables.index"], "SavedModel", "load_model"),
        (["a/1.jpg", "a/2.jpg"], "pictures", "data set"),
        (["weights.npy"], "NumPy", "state_dict"),
        (["[Content_Types].xml"], "office document", "Keras"),
        (["notes.txt"], "notes.txt", "Keras"),
        ([], "empty", "Keras"),
    ],
)
def test_a_zip_of_something_else_is_called_by_what_is_inside(names: list[str], word: str, hint: str) -> None:
    refusal = unsupported.archive(names)
    assert refusal.problem.code == "unknown-archive"
    assert word in refusal.problem.message
    assert hint in refusal.problem.hint
