"""Cases: make, list, read, export."""
