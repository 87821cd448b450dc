"""Keras files: configuration, repairs, weights, and the network rebuilt from them. Keras is imported late."""
