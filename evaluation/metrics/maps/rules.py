"""The rules by which maps are judged."""

CREDIBLE_BELOW = 0.3
"""Of the mean likeness to maps of randomised networks: its upper end must lie below."""
FEWEST_IMAGES = 50
"""Whose maps can be used, for every figure that is judged."""
SEEDS = 5
"""Of randomised networks."""
