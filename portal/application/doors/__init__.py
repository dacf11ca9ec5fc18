"""The doors package."""
