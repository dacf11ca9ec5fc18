"""The message package."""
