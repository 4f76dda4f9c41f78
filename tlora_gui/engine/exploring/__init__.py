"""Asking about a text: counterfactuals, branches, reading, mixers of the past."""
