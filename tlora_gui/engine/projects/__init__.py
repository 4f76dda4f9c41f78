"""Projects on disk: index, epochs as PEFT folders, mixers, checkpoints, kept generations."""
