"""The dmz package."""
