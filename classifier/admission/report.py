"""What an admission answers: checks, one problem or none, and where the bundle is."""

import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from classifier.admission.refusal import Problem, Refusal, RefusalCode, cut
from skinsite.sandbox.zip_archives import UnsafeArchive

ENGINE = "ONNX Runtime"


@dataclass(frozen=True)
class Check:
    """One thing that was looked at: a short name, whether it passed, and a sentence with the values found."""

    check: str
    passed: bool
    detail: str


@dataclass(frozen=True)
class AdmissionResult:
    """The answer to one admission. `manifest` is complete as used, or None; `measured` in milliseconds and bytes."""

    accepted: bool
    report: tuple[Check, ...]
    error: Problem | None = None
    manifest: dict[str, Any] | None = None
    classes: tuple[str, ...] = ()
    framework: str = ""
    architecture: str = ""
    parameters: int | None = None
    sha256: str | None = None
    bundle: Path | None = None
    layer: str = ""
    engine: str = ""
    measured: dict[str, Any] = field(default_factory=dict)


class Report:
    """The checks of one admission in their order; a refusal is its last line."""

    def __init__(self) -> None:
        self._checks: list[Check] = []

    def add(self, check: Check) -> None:
        self._checks.append(check)

    def passed(self, check: str, detail: str) -> None:
        self.add(Check(check, True, cut(detail)))

    def assumed(self, detail: str) -> None:
        """Note a guess that neither the file nor the manifest settled."""
        self.add(Check("assumed", True, cut(f"assumed: {detail}")))

    def warned(self, check: str, detail: str) -> None:
        """Note what did not pass and is no reason to refuse."""
        self.add(Check(check, False, cut(detail)))

    def without_engine(self, reason: str) -> None:
        """Note why the framework itself stays the engine."""
        self.warned("engine", f"{ENGINE} is not used, the framework itself answers: {reason}")

    def refused(self, refusal: Refusal) -> None:
        self.add(Check(refusal.check, False, refusal.problem.message))

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The checks as JSON."""
        return [asdict(check) for check in self._checks]

    @property
    def checks(self) -> tuple[Check, ...]:
        return tuple(self._checks)


def answered(work: Callable[[Report], dict[str, Any]]) -> dict[str, Any]:
    """Return a child's answer: what the work gives, or why it refused. What nobody foresaw refuses too, by its name."""
    report = Report()
    try:
        answer = work(report)
        return {"report": report.rows, **answer}
    except Refusal as refusal:
        refused = refusal
    except UnsafeArchive as unsafe:
        refused = Refusal(RefusalCode(unsafe.code), unsafe.message, unsafe.hint, check="archive")
    except MemoryError:
        raise
    except Exception as error:
        traceback.print_exc()
        words = " ".join(str(error).split())[:300]
        message = f"The file cannot be read, for an unforeseen reason: {type(error).__name__}: {words}"
        hint = "Look at the manifest first; if the file works elsewhere, tell the operator which program wrote it."
        refused = Refusal(RefusalCode.CANNOT_BE_READ, message, hint)
    report.refused(refused)
    return {"report": report.rows, "problem": refused.problem.to_json()}
