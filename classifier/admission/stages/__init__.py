"""The steps of admission after reading; each is the task of a confined child."""
