"""safetensors files whose header and bytes do not agree."""

import json
import struct
from pathlib import Path
from typing import Any

from tests.admission.attacks import add

KIND = "safetensors that lies"


def file(header: Any, content: bytes = b"", length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + content


def entry(start: int, end: int, shape: list[int], dtype: str = "F32") -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


def _register(name: str, content: bytes, code: str = "truncated", opened_by: str = "torch") -> None:
    add(KIND, name, lambda path, _bait: _write(path, content), code=code, opened_by=opened_by)


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


_register("overlapping tensors", file({"a": entry(0, 8, [2]), "b": entry(4, 12, [2])}, bytes(12)))
_register("beyond the file", file({"a": entry(0, 4 * 10**9, [10**9])}, bytes(8)))
_register("a start after its end", file({"a": entry(8, 0, [2])}, bytes(8)))
_register("a negative start", file({"a": entry(-8, 0, [2])}, bytes(8)))
_register("a shape beyond 64 bits", file({"a": entry(0, 8, [2**40, 2**40])}, bytes(8)))
_register("a shape that does not fit", file({"a": entry(0, 8, [10**6])}, bytes(8)))
_register("a hole between tensors", file({"a": entry(0, 8, [2]), "b": entry(100, 108, [2])}, bytes(108)))
_register("an unknown type", file({"a": entry(0, 8, [2], "F1024")}, bytes(8)))
_register("a header beyond the file", file({"a": entry(0, 8, [2])}, bytes(8), length=90_000_000))
_register("a header of 2^63", file(b"{}" + b" " * 100, length=2**63), code="", opened_by="")
_register("a header nested 10,000 deep", file(b'{"a":' * 10_000 + b"1" + b"}" * 10_000))
_register(
    "one name twice", file(b'{"a":%s,"a":%s}' % ((json.dumps(entry(0, 8, [2])).encode(),) * 2), bytes(8)), code=""
)
_register("a million names", file({f"n{n}": entry(0, 0, [0]) for n in range(200_000)}), code="")
_register("a name that goes up", file({"../../../etc/passwd": entry(0, 8, [2])}, bytes(8)), code="")
_register("data after the end", file({"a": entry(0, 8, [2])}, bytes(1000)))
