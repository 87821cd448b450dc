"""Labels and probabilities in, numbers out. Pure Python; every method is named in docs/statistics.md."""
