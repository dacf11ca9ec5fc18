"""Harai's background work: arq tasks that order application stages, and the lanes they run in."""
