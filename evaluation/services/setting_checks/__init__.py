"""Checks of a model's settings: start, search, show."""
