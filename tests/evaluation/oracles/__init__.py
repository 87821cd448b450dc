"""Numbers that other programs gave for inputs which a seed makes again."""
