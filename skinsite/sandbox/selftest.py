"""How far this machine can isolate a child, tried once without a file, in a sentence for the operator."""

import functools
import tempfile
from dataclasses import dataclass
from pathlib import Path

from skinsite.sandbox import confine, run
from skinsite.sandbox.run import Limits

LIMITS = Limits(seconds=20, memory=512 * 1024**2, disk=1024**2)
TASK = "skinsite.sandbox.selftest:do_nothing"


@dataclass(frozen=True)
class SelfTest:
    """A sentence for each measure of isolation that was taken, and for those that the machine lacks."""

    isolation: tuple[str, ...]
    lacking: tuple[str, ...]

    @property
    def is_confined(self) -> bool:
        return not self.lacking

    def sentence(self, *, unconfined: bool) -> str:
        """What becomes of an upload here; `unconfined` is the operator's SKINSITE_UNCONFINED_ADMISSION."""
        if self.is_confined:
            return f"A model file is opened in isolation: {'; '.join(self.isolation)}."
        lacking = "; ".join(self.lacking)
        if unconfined:
            return (
                "DANGER: this machine cannot confine the program that opens a model file, and "
                f"SKINSITE_UNCONFINED_ADMISSION=1 opens it all the same: a hostile file can take over the portal. "
                f"Register only files that you made yourself. Lacking: {lacking}."
            )
        return (
            f"No model file can be registered: this machine cannot confine the program that opens it. "
            f"Lacking: {lacking}. docs/safety.md says what the machine must permit."
        )


@functools.cache
def run_selftest() -> SelfTest:
    """Isolate a child; the answer holds while this process lives. It takes half a second, once."""
    with tempfile.TemporaryDirectory() as folder:
        child = run.run(TASK, request={}, folder=Path(folder), limits=LIMITS, unconfined=True)
    taken = tuple(measure for measure in child.isolation if not measure.startswith(confine.LACKING))
    lacking = tuple(each.removeprefix(confine.LACKING) for each in child.isolation if each not in taken)
    if not child.isolation:
        lacking = (f"the child could not be started ({child.reason}: {child.stderr_tail[-300:]})",)
    return SelfTest(taken, lacking)


def do_nothing() -> None:
    """The child's task: its isolation is all that is tried."""
