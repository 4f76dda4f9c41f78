"""Corpora: files that a person gives, read as documents, packed as blocks of tokens."""
