"""Comparisons: start, compute, show, open as cases."""
