"""Where the engine runs: one QThread for the life of the application. QtCore only."""
