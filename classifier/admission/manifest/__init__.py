"""What a person or a file says of a model, what is inferred, and how the two are merged."""
