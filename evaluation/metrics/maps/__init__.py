"""Numbers about heat maps. Pure Python."""
