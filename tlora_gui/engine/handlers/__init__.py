"""What a session does for each family of jobs."""
