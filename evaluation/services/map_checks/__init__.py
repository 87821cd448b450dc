"""Checks of heat maps: start, measure, show."""
