"""The egress package."""
