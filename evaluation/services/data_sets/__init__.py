"""Data sets: create, import, summarise."""
