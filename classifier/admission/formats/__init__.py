"""What a file is, found by its content; one file for each kind that is recognised."""
