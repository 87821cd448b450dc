"""Admit an untrusted model file: sniff it here, open it in a confined child, prove the bundle in a second one."""

from pathlib import Path
from typing import Any

from classifier.admission.outcome import Outcome

GIB = 1024**3

__all__ = ["Outcome", "admit"]


def admit(
    *,
    upload: Path,
    manifest: dict[str, Any],
    into: Path,
    time_limit_s: float = 300,
    memory_limit: int = 6 * GIB,
    unconfined: bool = False,
) -> Outcome:
    """Turn an upload into a verified bundle below `into`, or say why not. Never raises for a bad file."""
    raise NotImplementedError
