"""An epoch learned, and measured on held-out text."""
