"""Data only: what can be asked, answered, chosen and refused. All that the window imports of the engine; no torch."""
