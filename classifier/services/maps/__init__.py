"""Heat maps of predictions: make another, look at it, take it away, what is known of it."""
