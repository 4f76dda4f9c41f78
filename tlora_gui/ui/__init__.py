"""What you see: Qt widgets. Knows the engine only by its data (config, events, errors, jobs); never imports torch."""
