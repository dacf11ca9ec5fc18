"""The methods package."""
