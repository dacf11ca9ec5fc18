"""Tasks: each takes its parameters from the lease, calls one stage function and shapes its output.

Application zone. A task of 20 lines at most; leases, heartbeats and failures are in ``run``.
"""
