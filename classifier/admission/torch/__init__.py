"""PyTorch files: an inert unpickler, state_dicts, and the network rebuilt from them. torch is imported late."""
