"""The drill package."""
