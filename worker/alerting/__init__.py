"""Alerting: not built yet. The package keeps its place in the tree and its import contract.

Reaches kit and domain only; never the application, the data API or the tasks.
"""
