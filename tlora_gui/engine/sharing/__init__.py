"""Texts kept in a project, and handed to others."""
