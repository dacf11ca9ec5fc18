"""The payment package."""
