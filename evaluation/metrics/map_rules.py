"""The rules by which maps are judged."""

CREDIBLE_BELOW = 0.3
"""Of the mean likeness to maps of randomised networks: its upper end must lie below."""
