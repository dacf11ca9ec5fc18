"""Zone-less tools of every process: settings, log, crypto, limits, metrics, clock, outbound.

Also what packages know of holidays and banks, as values of the domain.
"""
