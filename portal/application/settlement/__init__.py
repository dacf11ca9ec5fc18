"""The settlement package."""
