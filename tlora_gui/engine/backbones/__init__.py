"""Backbones: find, fetch, read, try or refuse them; their tokenizers."""
