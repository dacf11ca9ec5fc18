"""The operations package."""
