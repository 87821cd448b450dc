"""The engines by name and in words, and what a processor must have for the fast lane."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path

NATIVE, ONNX, FAST = "native", "onnxruntime", "openvino-bf16"
BF16 = "bf16"
IN_WORDS = {FAST: "OpenVINO, bf16: faster, less exact"}
"""What a result of reduced precision is called wherever it is shown; the others go by their names."""

BF16_FLAGS = frozenset(("avx512_bf16", "amx_bf16"))
PROCESSOR = Path("/proc/cpuinfo")


NO_BF16 = "Ask for it without the fast lane, or run the workers where /proc/cpuinfo lists avx512_bf16 or amx_bf16."


class EngineError(Exception):
    """The engine cannot compute on this machine; the message says why, without a full stop, the hint what to do."""

    def __init__(self, message: str, hint: str = NO_BF16) -> None:
        super().__init__(message)
        self.hint = hint


def in_words(engine: str) -> str:
    return IN_WORDS.get(engine, engine)


def reads_bf16(lines: Iterable[str]) -> bool:
    """Whether the lines of a /proc/cpuinfo tell of a processor that multiplies in bf16."""
    flags = (line.partition(":")[2].split() for line in lines if line.startswith("flags"))
    return any(not BF16_FLAGS.isdisjoint(found) for found in flags)


@cache
def has_bf16() -> bool:
    """Whether this machine's processor multiplies in bf16; False where it does not say."""
    try:
        return reads_bf16(PROCESSOR.read_text().splitlines())
    except OSError:
        return False


def require(engine: str) -> None:
    """Raises EngineError for the fast lane where this machine's processor has no bf16."""
    if engine == FAST and not has_bf16():
        raise EngineError("this worker's processor has no bf16")
