"""Readers of what people keep text in, one module per family; each gives documents, a piece of text at a time."""
