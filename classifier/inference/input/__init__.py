"""From an uploaded file to the numbers that a network takes."""
