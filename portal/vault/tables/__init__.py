"""The tables package."""
