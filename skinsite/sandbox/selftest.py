"""Which walls this machine can put up, tried once in a child without a file, in a sentence for the operator."""

import functools
import tempfile
from dataclasses import dataclass
from pathlib import Path

from skinsite.sandbox import confine, run
from skinsite.sandbox.run import Limits

LIMITS = Limits(seconds=20, memory=512 * 1024**2, disk=1024**2)
TASK = "skinsite.sandbox.selftest:stand"


@dataclass(frozen=True)
class Standing:
    """The sentences of the walls that stand, and of those that the machine lacks."""

    walls: tuple[str, ...]
    lacking: tuple[str, ...]

    @property
    def is_confined(self) -> bool:
        return not self.lacking

    def sentence(self, *, unconfined: bool) -> str:
        """What becomes of an upload here; `unconfined` is the operator's SKINSITE_UNCONFINED_ADMISSION."""
        if self.is_confined:
            return f"A model file is opened behind these walls: {'; '.join(self.walls)}."
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
def standing() -> Standing:
    """Try the walls; the answer holds while this process lives. It takes half a second, once."""
    with tempfile.TemporaryDirectory() as folder:
        ended = run.run(TASK, request={}, folder=Path(folder), limits=LIMITS, unconfined=True)
    lacking = [wall.removeprefix(confine.LACKING) for wall in ended.walls if wall.startswith(confine.LACKING)]
    if not ended.walls:
        lacking = [f"the child could not be started ({ended.reason}: {ended.stderr_tail[-300:]})"]
    return Standing(
        walls=tuple(wall for wall in ended.walls if not wall.startswith(confine.LACKING)), lacking=tuple(lacking)
    )


def stand() -> None:
    """The child's task: behind the walls there is nothing to do."""
