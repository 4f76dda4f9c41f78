"""Handlers: what a session does for each family of jobs, a file each."""
