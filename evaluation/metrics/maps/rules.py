"""The rules by which maps are judged, and what is judged."""

from dataclasses import dataclass

from evaluation.metrics.number import Number

CREDIBLE_BELOW = 0.3
"""Of the mean likeness to maps of randomised networks: its upper end must lie below."""
FEWEST_IMAGES = 50
"""Whose maps can be used, for every figure that is judged."""
SEEDS = 5
"""Of randomised networks."""


@dataclass(frozen=True)
class Better:
    """Whether the whole interval of map − baseline lies on the better side of 0."""

    gaussian: bool
    random: bool


@dataclass(frozen=True)
class Against:
    """A figure of the map, of a centre Gaussian of equal spread and of the shuffled map, and the paired differences."""

    map: Number
    gaussian: Number
    random: Number
    minus_gaussian: Number
    minus_random: Number
    better: Better
