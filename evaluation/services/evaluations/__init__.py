"""Evaluations: start, run in turns, score, show, take away."""
