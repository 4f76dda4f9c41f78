"""What lies on disk: a project, its epochs, mixers and kept generations."""
