"""The channels package."""
