"""Networks that are known by the names and shapes of their tensors."""
