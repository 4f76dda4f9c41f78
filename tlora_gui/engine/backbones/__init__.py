"""Backbones: found, fetched, read and refused; their tokenizers."""
