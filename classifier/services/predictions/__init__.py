"""Predictions: made by a worker, and who waits for them."""
