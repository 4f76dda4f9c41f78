"""Training of an epoch, and its measurement on held-out text."""
