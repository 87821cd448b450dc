"""The fast lane's part of the third child in f32, for processors without bf16; `supervision.run` runs it there."""

from functools import partial
from typing import Any

from classifier.admission import engines

OFFER_IN_F32 = "tests.admission.lane:offer_in_f32"
OFFER_AND_DIE = "tests.admission.lane:offer_and_die"


def offer_in_f32(bundle: str, fast: bool) -> dict[str, Any]:
    """As `engines.offer`, but the lane computes exactly, so that its answers are those of the framework."""
    engines.fast_lane.measured = partial(engines.fast_lane.measured, precision="f32")
    return engines.offer(bundle, fast)


def offer_and_die(bundle: str, fast: bool) -> dict[str, Any]:
    """A lane that takes its process along, as a program that meets an unknown instruction does."""
    if fast:
        raise SystemExit(3)
    return engines.offer(bundle, fast)
