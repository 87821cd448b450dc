"""One file for each framework that answers for a bundle; each is imported only by the workers that need it."""
