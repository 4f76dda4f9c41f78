"""Data only: what can be asked, told, chosen and refused. All that the window imports of the engine; no torch."""
