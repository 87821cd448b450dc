"""Heat maps as numbers and as pictures."""
