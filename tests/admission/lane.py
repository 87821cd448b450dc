"""The fourth child's task in f32, for processors without bf16; `supervision.run` runs it there."""

from typing import Any

from classifier.admission import fast_lane

IN_F32 = "tests.admission.lane:measure_in_f32"
DIES = "tests.admission.lane:die"


def measure_in_f32(bundle: str, expected: list[list[float]]) -> dict[str, Any]:
    """The lane computes exactly, so that its answers are those of the framework."""
    return fast_lane.measure(bundle, expected, "f32")


def die(bundle: str, expected: list[list[float]]) -> None:
    """A lane that takes its process along, as a program that meets an unknown instruction does."""
    raise SystemExit(3)
