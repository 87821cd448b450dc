"""What a pickle would call, read from its instructions without running one of them."""

import pickletools
from collections.abc import Iterator
from typing import IO, Any

PUSHES = {"SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "UNICODE", "SHORT_BINSTRING", "BINSTRING", "STRING"}
PUTS = {"PUT", "BINPUT", "LONG_BINPUT"}
GETS = {"GET", "BINGET", "LONG_BINGET"}


class Damaged(Exception):
    """The bytes are no pickle."""


def called_names(file: IO[bytes]) -> Iterator[str]:
    """Yield `module.name` of each class or function that one pickle, at the file's position, would import.

    Raises Damaged where the instructions end too early or make no sense.
    """
    texts: list[Any] = []
    memo: dict[Any, Any] = {}
    try:
        for operation, argument, _place in pickletools.genops(file):
            if operation.name in PUSHES:
                texts.append(argument)
            elif operation.name in PUTS:
                memo[argument] = texts[-1] if texts else None
            elif operation.name == "MEMOIZE":
                memo[len(memo)] = texts[-1] if texts else None
            elif operation.name in GETS:
                texts.append(memo.get(argument))
            elif operation.name in ("GLOBAL", "INST"):
                yield str(argument).replace(" ", ".", 1)
            elif operation.name == "STACK_GLOBAL":
                yield ".".join(str(text) for text in texts[-2:])
    except (ValueError, IndexError, EOFError, UnicodeDecodeError, OverflowError, MemoryError) as error:
        raise Damaged(str(error)) from error
