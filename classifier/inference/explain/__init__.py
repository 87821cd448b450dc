"""Heat maps asked of a network: by gradients, by occlusion, and of randomised weights."""
