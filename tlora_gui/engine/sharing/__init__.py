"""Export of a generation as a page or as JSON, and import."""
