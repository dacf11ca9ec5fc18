"""The sandbox package."""
