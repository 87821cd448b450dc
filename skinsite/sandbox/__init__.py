"""A confined child process: the only place where a file from outside is parsed. Knows neither app."""
