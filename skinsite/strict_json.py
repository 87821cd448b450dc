"""JSON from outside, as a database and another program can keep it: texts without surprises, numbers that are some."""

import json
import math
from typing import Any, NoReturn

DEEPEST = 64


class UnusableJson(ValueError):
    """It is JSON for Python, but not for a database or another program."""


def strict_json(text: str | bytes) -> Any:
    """Return the value of a JSON text.

    Raises ValueError for what is no JSON, NaN and infinity, NUL and lone surrogates in texts, more than 64 levels.
    """
    try:
        value = json.loads(text, parse_constant=_no_number)
    except RecursionError as error:
        raise UnusableJson(f"It is nested deeper than {DEEPEST} levels.") from error
    _check(value, depth=0)
    return value


def usable_text(text: str) -> str:
    """Return the text; ValueError for characters that no database keeps."""
    if "\0" in text:
        raise UnusableJson("A text must not contain the character NUL.")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise UnusableJson("A text contains half of a surrogate pair.") from error
    return text


def _no_number(word: str) -> NoReturn:
    raise UnusableJson(f"{word} is not JSON.")


def _check(value: Any, *, depth: int) -> None:
    if depth > DEEPEST:
        raise UnusableJson(f"It is nested deeper than {DEEPEST} levels.")
    if isinstance(value, str):
        usable_text(value)
    elif isinstance(value, float) and not math.isfinite(value):
        raise UnusableJson("A number is too large.")
    elif isinstance(value, dict):
        for key, entry in value.items():
            usable_text(key)
            _check(entry, depth=depth + 1)
    elif isinstance(value, list):
        for entry in value:
            _check(entry, depth=depth + 1)
